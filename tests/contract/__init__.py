"""Everything that users, their data and other programs rely on: requests, documents, logs, files, state.

These tests use the command line, HTTP, files and SQL, and hardly any module of the package, so that a change
inside leaves them as they are. A change that they show is public: its documents change too.
"""
