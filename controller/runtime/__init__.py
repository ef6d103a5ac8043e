"""The controller machinery: knows no kind, no AWS and no HTTP; declares ports that `kube` implements."""
