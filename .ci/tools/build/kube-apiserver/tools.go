// Package tools names what is built.
package tools

import _ "k8s.io/kubernetes/cmd/kube-apiserver"
