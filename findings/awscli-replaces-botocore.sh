#!/bin/sh
# awscli 1.46.3: to import it replaces botocore for the whole process.
#
# The AWS CLI 1 has a copy of botocore of its own, and its `__init__` puts it in the place of the installed one: after
# `import awscli`, `import botocore` anywhere in the process yields the copy, of another version, and boto3 runs on it. pip
# sees nothing of this: awscli no longer requires botocore, so each may be installed in any version.
#
# Source: awscli/__init__.py, TopLevelImportAliasFinder, "to allow missing awscli namespace in package imports"; nothing says
# that it hides an installed botocore.
# Here: tests run the CLI in a process of its own.
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
install awscli==1.46.3 boto3==1.44.8 botocore==1.44.8
"$dir/venv/bin/python" - <<'PYTHON'
import subprocess
import sys
from importlib.metadata import version

LOOK = "import botocore, boto3; print(botocore.__version__, boto3.session.botocore.__version__, botocore.__file__)"


def seen(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


print("awscli", version("awscli"), "with botocore", version("botocore"), "installed")
alone, after = seen(LOOK), seen("import awscli.clidriver\n" + LOOK)
print(f"botocore without awscli: {alone[0]}, boto3's {alone[1]}")
print(f"botocore after `import awscli.clidriver`: {after[0]}, boto3's {after[1]}")
print("it is", after[2].partition("site-packages/")[2])
is_replaced = after[0] == after[1] != alone[0] == version("botocore") and "/awscli/botocore/" in after[2]
sys.exit(0 if is_replaced else 1)
PYTHON
