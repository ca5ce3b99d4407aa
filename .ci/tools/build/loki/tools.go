// Package tools names what is built.
package tools

import _ "github.com/grafana/loki/v3/cmd/loki"
