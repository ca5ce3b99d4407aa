module etcd-for-tests

go 1.26.5

require go.etcd.io/etcd/server/v3 v3.6.16
