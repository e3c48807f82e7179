module guimo/benchmarks/gateway

go 1.22
