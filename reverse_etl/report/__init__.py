"""What is remembered of one run, as a page for people and as a document for programs."""
