# The engine: frames and the time in, frames with due times out. Whoever links
# it needs -lm.
LIBS += impair
ENGINES += impair
impair_SRCS := \
	src/wirefilter/aqm.c \
	src/wirefilter/blackout.c \
	src/wirefilter/blame.c \
	src/wirefilter/asked.c \
	src/wirefilter/delayq.c \
	src/wirefilter/dist.c \
	src/wirefilter/impair.c \
	src/wirefilter/impair_set.c \
	src/wirefilter/items.c \
	src/wirefilter/line.c \
	src/wirefilter/loss.c \
	src/wirefilter/loss_list.c \
	src/wirefilter/markov.c \
	src/wirefilter/meter.c \
	src/wirefilter/noise.c \
	src/wirefilter/params.c \
	src/wirefilter/parcel.c \
	src/wirefilter/record.c \
	src/wirefilter/slotline.c \
	src/wirefilter/trace.c \
	src/wirefilter/value.c \
	src/wirefilter/wire.c

PROGS += wirefilter
wirefilter_SRCS := \
	src/wirefilter/blink.c \
	src/wirefilter/classes.c \
	src/wirefilter/cmd.c \
	src/wirefilter/cmd_class.c \
	src/wirefilter/cmd_markov.c \
	src/wirefilter/cmd_more.c \
	src/wirefilter/cmd_report.c \
	src/wirefilter/cmd_wire.c \
	src/wirefilter/cmd_trace.c \
	src/wirefilter/feed.c \
	src/wirefilter/fromfile.c \
	src/wirefilter/journal.c \
	src/wirefilter/main.c \
	src/wirefilter/options.c \
	src/wirefilter/pump.c \
	src/wirefilter/replay.c \
	src/wirefilter/show.c \
	src/wirefilter/sorter.c \
	src/wirefilter/textfile.c \
	src/wirefilter/watchman.c \
	src/wirefilter/watchman_compare.c \
	src/wirefilter/watchman_metrics.c \
	src/wirefilter/watchman_show.c
wirefilter_LIBS := impair cable filter common vdeplug base
wirefilter_LDLIBS := -lm
