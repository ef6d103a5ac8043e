#!/bin/sh
# sagemaker-core 2.27.0: which of its two Tag classes a resource takes depends on the alphabet.
#
# The package has `shapes.Tag`, a pair of key and value, and `resources.Tag`, a resource. `create(tags=[Tag(...)])` of an
# Endpoint or a Model takes the first and refuses the second. From TrainingJob on, in alphabetical order, it is the other
# way round: the annotation `List[Tag]` is evaluated where the class statement stands, and `class Tag` stands between.
#
# Source: sagemaker/core/resources.py; the reference of both says `tags: Optional[List[Tag]]`, "An array of key-value pairs".
# Here: tags are plain dictionaries, and the CRD's schema says what they hold.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
install() {
  if command -v uv >/dev/null; then
    uv pip install --quiet --python "$dir/venv/bin/python" "$@"
  else
    "$dir/venv/bin/pip" install --quiet --disable-pip-version-check "$@"
  fi
}
install sagemaker-core==2.27.0
"$dir/venv/bin/python" - <<'PYTHON'
import inspect
import sys
from importlib.metadata import version

from pydantic import TypeAdapter, ValidationError
from sagemaker.core import resources, shapes

NAMES = ("Endpoint", "Model", "ProcessingJob", "TrainingJob", "TransformJob")


def accepts(resource, tag) -> bool:
    annotation = inspect.signature(getattr(resources, resource).create).parameters["tags"].annotation
    try:
        TypeAdapter(annotation).validate_python([tag])
    except ValidationError:
        return False
    return True


pair = shapes.Tag(key="team", value="one")
resource = resources.Tag(key="team", value="one")
print("sagemaker-core", version("sagemaker-core"))
seen = {}
for name in NAMES:
    seen[name] = (accepts(name, pair), accepts(name, resource))
    print(f"{name}.create(tags=[...]): takes shapes.Tag {seen[name][0]}, takes resources.Tag {seen[name][1]}")
before, after = (True, False), (False, True)
expected = {name: before if name < "Tag" else after for name in NAMES}
sys.exit(0 if seen == expected else 1)
PYTHON
