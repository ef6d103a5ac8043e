// Package clients names the modules with the tests that `make test-clients-go` builds and runs.
package clients

import (
	_ "k8s.io/client-go/dynamic"
	_ "sigs.k8s.io/controller-runtime/pkg/client"
)
