"""Three libraries, one question: do these rows look like those? What a stack's validator answers."""
