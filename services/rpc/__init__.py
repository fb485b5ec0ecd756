"""The gRPC services: convert, call, convert; everything around a call is the interceptors'."""
