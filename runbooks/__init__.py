"""Procedures: runbooks with typed steps, their parser, linter and renderer."""
