"""What is published beside the protos: reference pages, a service config, descriptor sets."""
