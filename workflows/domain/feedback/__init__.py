"""What others say of a person's work: evidence for whoever rates, and never a rating."""
