# The protocol's client side, the words of a console and VDE 2's script
# language are engines: bytes in, events out.
LIBS += term
ENGINES += term
term_SRCS := src/term/session.c src/term/clean.c src/term/words.c \
	src/term/script.c src/term/script_parse.c

PROGS += unixterm unixcmd
unixterm_SRCS := src/term/unixterm.c
unixterm_LIBS := common base
unixcmd_SRCS := src/term/unixcmd.c
unixcmd_LIBS := common term base
PROG_LINKS += vdecmd=unixcmd

ifeq ($(call with,READLINE),yes)
PROGS += vdeterm
vdeterm_SRCS := src/term/vdeterm.c src/term/edit.c
vdeterm_LIBS := common term base
vdeterm_LDLIBS := $(READLINE_LDLIBS)
endif
