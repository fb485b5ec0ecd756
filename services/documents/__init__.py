"""The official document as a PDF: its words, its layout, its typesetting."""
