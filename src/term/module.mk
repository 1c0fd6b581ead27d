# The client's side of the protocol, the words of a console and VDE 2's script
# language are engines: bytes in, events out.
LIBS += term
ENGINES += term
term_SRCS := src/term/session.c src/term/clean.c src/term/words.c \
	src/term/script.c
