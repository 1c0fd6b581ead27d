PLUGINS += dump
dump_plugin_SRCS := src/plugins/dump.c src/plugins/pcapfile.c
dump_plugin_LIBS := base

PLUGINS += pdump
pdump_plugin_SRCS := src/plugins/pdump.c src/plugins/pcapfile.c
pdump_plugin_LIBS := base

# What iplog knows of frames and addresses is an engine, for tests.
LIBS += iplog
ENGINES += iplog
iplog_SRCS := src/plugins/ipsight.c src/plugins/iptable.c

PLUGINS += iplog
iplog_plugin_SRCS := src/plugins/iplog.c src/plugins/iplog_cmd.c \
	src/plugins/ipout.c src/plugins/iptext.c
iplog_plugin_LIBS := iplog base
