#!/bin/sh
# Build the ACME server pebble twice, in the current folder: `pebble-servers` as it is published, `pebble` with one line
# changed so that its certificates are for clients too. The checksum is the one of Go's public database (sum.golang.org).
set -eu
module=github.com/letsencrypt/pebble/v2@v2.10.3
sum='h1:Zg/Rq9T8FvNMvfLvi3k+dXmrwgDnG9neRpeaJY2hwVM='
go mod download -json "$module" >module.json
grep -qF "\"Sum\": \"$sum\"" module.json || { echo "$module is not the one that is pinned" >&2; exit 1; }
cp -R "$(sed -n 's/^[[:space:]]*"Dir": "\(.*\)",\{0,1\}$/\1/p' module.json)" source
chmod -R u+w source
cp -R source/test/certs certs
cd source
timeout 200 go build -o ../pebble-servers ./cmd/pebble
sed -i 's/\[\]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},/[]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},/' ca/ca.go
grep -q ExtKeyUsageClientAuth ca/ca.go || { echo 'the line to change is not there' >&2; exit 1; }
timeout 80 go build -o ../pebble ./cmd/pebble
cd ..
rm -rf source
