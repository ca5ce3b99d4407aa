// Package tools names what is built.
package tools

import _ "go.etcd.io/etcd/server/v3"
