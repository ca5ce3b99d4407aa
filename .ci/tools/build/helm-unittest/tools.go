// Package tools names what is built.
package tools

import _ "github.com/helm-unittest/helm-unittest/cmd/helm-unittest"
