LIBS += bridge
ENGINES += bridge
bridge_SRCS := \
	src/switch/bridge.c \
	src/switch/bridge_table.c \
	src/switch/egress.c \
	src/switch/guard.c \
	src/switch/hook.c \
	src/switch/loopguard.c \
	src/switch/loopguard_probe.c \
	src/switch/mactab.c \
	src/switch/mactab_keep.c \
	src/switch/mcast.c \
	src/switch/mcast_ask.c \
	src/switch/mcast_info.c \
	src/switch/mcast_msg.c \
	src/switch/mcast_query.c \
	src/switch/mcast_table.c \
	src/switch/mirror.c \
	src/switch/port.c \
	src/switch/portguard.c \
	src/switch/rstp.c \
	src/switch/rstp_bpdu.c \
	src/switch/rstp_info.c \
	src/switch/rstp_port.c \
	src/switch/rstp_role.c \
	src/switch/rstp_tx.c \
	src/switch/stp.c \
	src/switch/stp_bridge.c \
	src/switch/stp_config.c \
	src/switch/txmerge.c \
	src/switch/txq.c \
	src/switch/vlan.c

PROGS += vde_switch
vde_switch_SRCS := \
	src/switch/captarget.c \
	src/switch/capture.c \
	src/switch/capture_take.c \
	src/switch/capwriter.c \
	src/switch/cmd_capture.c \
	src/switch/cmd_guard.c \
	src/switch/cmd_hash.c \
	src/switch/cmd_if.c \
	src/switch/cmd_loopguard.c \
	src/switch/cmd_mcast.c \
	src/switch/cmd_metrics.c \
	src/switch/cmd_mirror.c \
	src/switch/cmd_plugin.c \
	src/switch/cmd_port.c \
	src/switch/cmd_stp.c \
	src/switch/cmd_sys.c \
	src/switch/cmd_vlan.c \
	src/switch/ctlsock.c \
	src/switch/event.c \
	src/switch/fstp.c \
	src/switch/hostif.c \
	src/switch/linkwatch.c \
	src/switch/main.c \
	src/switch/metrics.c \
	src/switch/metrics_bridge.c \
	src/switch/metrics_stp.c \
	src/switch/plugin.c \
	src/switch/plugin_host.c \
	src/switch/plugin_info.c \
	src/switch/plugin_load.c \
	src/switch/plugin_reply.c \
	src/switch/rx_batch.c \
	src/switch/snoop.c \
	src/switch/tr_dgram.c \
	src/switch/tr_packet.c \
	src/switch/tr_ring.c \
	src/switch/tr_tap.c
vde_switch_LIBS := capture filter bridge common base

# What is captured: the pure parts.
LIBS += capture
ENGINES += capture
capture_SRCS := src/switch/capspec.c src/switch/capbuf.c
