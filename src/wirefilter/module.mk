# The engine: frames and the time in, frames with due times out.
LIBS += impair
ENGINES += impair
impair_SRCS := \
	src/wirefilter/delayq.c
