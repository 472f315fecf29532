module interop/tiles

go 1.23.0

require golang.org/x/mod v0.21.0
