# The client's side of the protocol and the words of a console are engines:
# bytes in, events out.
LIBS += term
ENGINES += term
term_SRCS := src/term/session.c src/term/clean.c src/term/words.c
