PLUGINS += dump
dump_plugin_SRCS := src/plugins/dump.c src/plugins/pcapfile.c
dump_plugin_LIBS := base

PLUGINS += pdump
pdump_plugin_SRCS := src/plugins/pdump.c src/plugins/pcapfile.c
pdump_plugin_LIBS := base
