"""The processes: gRPC server, web pages, worker, command line, and the embedded stack."""
