"""What happens around every call, whatever its service; `chain` says in which order."""
