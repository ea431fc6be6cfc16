"""The pages of the sandbox for a browser: what it holds, what it was asked, and its faults."""
