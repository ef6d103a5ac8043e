#!/bin/sh
# sigs.k8s.io/structured-merge-diff 6.4.2 (Kubernetes 1.37): a server-side apply that empties a map makes null of it.
#
# Somebody applies `settings: {mode: a}` and then `settings: {}`. With 6.3.2 (Kubernetes 1.36) the object has an empty map
# afterwards, as the manifest says; with 6.4.2 it has null. Of a custom resource the API server then refuses the apply: `Invalid
# value: "null": ... must be of type object`, as was seen with kube-apiserver 1.37.2. By the source, lists are the same.
#
# Source: typed/remove.go of both releases.
# Here: users leave the field out instead; the embedded API server does the same (`hack/sandbox/kube/patch/typed.py`).
# Needs Go.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > main.go <<'GO'
package main

import (
	"fmt"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/merge"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

const schema = `types:
- name: thing
  map:
    fields:
    - name: settings
      type:
        map:
          elementType:
            scalar: string
`

type oneVersion struct{}

func (oneVersion) Convert(object *typed.TypedValue, version fieldpath.APIVersion) (*typed.TypedValue, error) {
	return object, nil
}

func (oneVersion) IsMissingVersionError(error) bool { return false }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	thing := must(typed.NewParser(schema)).Type("thing")
	builder := merge.UpdaterBuilder{Converter: oneVersion{}, ReturnInputOnNoop: true}
	updater := builder.BuildUpdater()
	live, managers := must(thing.FromYAML("{}")), fieldpath.ManagedFields{}
	for _, manifest := range []typed.YAMLObject{`settings: {mode: a}`, `settings: {}`} {
		applied := must(thing.FromYAML(manifest))
		object, owners, err := updater.Apply(live, applied, "v1", managers, "me", true)
		live, managers = must(object, err), owners
	}
	fmt.Println(live.AsValue().Unstructured())
}
GO
module=sigs.k8s.io/structured-merge-diff/v6
shown=
for version in v6.3.2 v6.4.2; do
    rm -f go.mod go.sum
    go mod init example.com/finding 2> /dev/null
    go get "$module/merge@$version" "$module/typed@$version" "$module/fieldpath@$version" 2> /dev/null
    found=$(go run .)
    echo "structured-merge-diff $version: $found"
    shown="$shown$found "
done
test "$shown" = 'map[settings:map[]] map[settings:<nil>] '
