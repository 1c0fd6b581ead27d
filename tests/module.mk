# One program per module under test; its _LIBS are an assertion about layers.
unit_test = $(eval TESTS += $(1))$(eval $(1)_SRCS := tests/unit/$(1).c)$(eval $(1)_LIBS := $(2))

$(call unit_test,test_cursor,base)
$(call unit_test,test_loop,common base)
$(call unit_test,test_chain,chain base)
$(call unit_test,test_mactab,bridge base)
$(call unit_test,test_bridge,bridge base)
$(call unit_test,test_guard,bridge base)
$(call unit_test,test_bridge_guard,bridge base)
$(call unit_test,test_gate,bridge base)
$(call unit_test,test_rstp,bridge base)
$(call unit_test,test_stp,bridge base)
$(call unit_test,test_rstp_bpdu,bridge base)
$(call unit_test,test_egress,bridge base)
$(call unit_test,test_topology,bridge base)
test_topology_SRCS += tests/unit/rstp_sim.c tests/unit/vde2_model.c
$(call unit_test,test_rstp_tshark,bridge base)
$(call unit_test,test_rstp_mesh,bridge base)
test_rstp_mesh_SRCS += tests/unit/rstp_sim.c tests/unit/vde2_model.c
$(call unit_test,test_session,term base)
$(call unit_test,test_words,term base)
$(call unit_test,test_clean,term base)
$(call unit_test,test_script,term base)
$(call unit_test,test_writer,common base)
$(call unit_test,test_mgmt,common base)
$(call unit_test,test_console,common base)
$(call unit_test,test_console_parts,common base)
$(call unit_test,test_console_load,common base)
$(call unit_test,test_console_term,common base)
$(call unit_test,test_console_dialect,common base)
$(call unit_test,test_log,common base)
$(call unit_test,test_num,base)
$(call unit_test,test_strbuf,base)
$(call unit_test,test_ether,base)
$(call unit_test,test_wire,base)
$(call unit_test,test_frame,base)
$(call unit_test,test_stream,base)
$(call unit_test,test_bits,base)
$(call unit_test,test_hash,base)
$(call unit_test,test_rng,base)
test_rng_LDLIBS := -lm
$(call unit_test,test_loopguard,bridge base)
$(call unit_test,test_mcast_msg,bridge base)
$(call unit_test,test_mcast,bridge base)
$(call unit_test,test_mcast_bridge,bridge base)
$(call unit_test,test_mirror,bridge base)
$(call unit_test,test_metrics,common base)
test_metrics_SRCS += src/switch/metrics.c
$(call unit_test,test_locator,vdeplug base)
$(call unit_test,test_vdestream,vdeplug base)
$(call unit_test,test_conn,vdeplug base)
$(call unit_test,test_cmd,vdeplug base)
$(call unit_test,test_handshake,vdeplug base)
$(call unit_test,test_transport,vdeplug base)
$(call unit_test,test_sockfile,vdeplug base)
$(call unit_test,test_unixsock,common base)
$(call unit_test,test_daemon,common base)
$(call unit_test,test_cli,common base)
$(call unit_test,test_linebuf,common base)
$(call unit_test,test_cable,cable common vdeplug base)
$(call unit_test,test_seen,seen base)
$(call unit_test,test_inet,base)
$(call unit_test,test_offload,base)
$(call unit_test,test_ring,base)
$(call unit_test,test_gro,base)
$(call unit_test,test_offload_kernel,base)
$(call unit_test,test_conn_tap,vdeplug base)
$(call unit_test,test_txmerge,bridge base)
$(call unit_test,test_packetsock,common base)
$(call unit_test,test_pcapng,common base)
$(call unit_test,test_quote,base)
$(call unit_test,test_capspec,capture base)
$(call unit_test,test_capbuf,capture base)
$(call unit_test,test_filter,filter base)
$(call unit_test,test_capwriter,capture bridge common base)
test_capwriter_SRCS += src/switch/capwriter.c
# The encrypted cable's engine.
ifeq ($(call with,SODIUM),yes)
sodium_test = $(call unit_test,$(1),tunnel base)$(eval $(1)_LDLIBS := -lsodium)
$(call sodium_test,test_noise_protocol)
$(call sodium_test,test_replay_window)
$(call sodium_test,test_tunnel)
$(call sodium_test,test_tunnel_life)
$(call sodium_test,test_tunnel_sim)
$(call sodium_test,test_tunnel_many)
endif
# What its clients may send; keys, peers and invitations.
$(call unit_test,test_admit,admit base)
$(call unit_test,test_cabtos,admit base)
ifeq ($(call with,SODIUM),yes)
cabkeys_test = $(call unit_test,$(1),cabkeys admit tunnel common base)$(eval $(1)_LDLIBS := -lsodium)
$(call cabkeys_test,test_address)
$(call cabkeys_test,test_enrol)
$(call cabkeys_test,test_invite)
$(call cabkeys_test,test_join)
$(call cabkeys_test,test_keyfile)
$(call cabkeys_test,test_peersdisk)
$(call cabkeys_test,test_peersfile)
endif
# What plugins are made of.
$(call unit_test,test_ipsight,iplog base)
$(call unit_test,test_iptable,iplog base)
$(call unit_test,test_ipout,base)
test_ipout_SRCS += src/plugins/ipout.c
$(call unit_test,test_pcapfile,base)
test_pcapfile_SRCS += src/plugins/pcapfile.c
$(call unit_test,test_plugin_api,base)
$(call unit_test,test_scribe,common base)
# The wire emulator's engine.
$(call unit_test,test_delayq,impair base)
$(call unit_test,test_value,impair base)
$(call unit_test,test_markov,impair base)
test_markov_LDLIBS := -lm
$(call unit_test,test_loss,impair base)
test_loss_LDLIBS := -lm
$(call unit_test,test_dist,impair base)
test_dist_LDLIBS := -lm
$(call unit_test,test_line,impair base)
$(call unit_test,test_aqm,impair base)
test_aqm_LDLIBS := -lm
$(call unit_test,test_impair,impair base)
test_impair_LDLIBS := -lm
$(call unit_test,test_meter,impair base)
test_meter_LDLIBS := -lm
$(call unit_test,test_asked,impair base)
test_asked_LDLIBS := -lm
$(call unit_test,test_blame,impair base)
test_blame_LDLIBS := -lm
$(call unit_test,test_watchman,impair common base)
test_watchman_SRCS += $(addprefix src/wirefilter/watchman,.c _compare.c _metrics.c _show.c)
test_watchman_LDLIBS := -lm
$(call unit_test,test_pump,impair cable filter common vdeplug base)
test_pump_SRCS += $(addprefix src/wirefilter/,blink.c feed.c journal.c pump.c \
	replay.c sorter.c textfile.c watchman.c watchman_compare.c watchman_metrics.c watchman_show.c)
test_pump_LDLIBS := -lm
$(call unit_test,test_trace,impair base)
$(call unit_test,test_slotline,impair base)
$(call unit_test,test_noise,impair base)
test_noise_LDLIBS := -lm
$(call unit_test,test_blackout,impair base)
$(call unit_test,test_sorter,filter base)
test_sorter_SRCS += src/wirefilter/sorter.c
$(call unit_test,test_record,impair base)
test_record_LDLIBS := -lm
# What wirefilter reads and writes.
$(call unit_test,test_replay,impair base)
test_replay_SRCS += src/wirefilter/replay.c src/wirefilter/textfile.c
test_replay_LDLIBS := -lm
$(call unit_test,test_journal,impair common base)
test_journal_SRCS += src/wirefilter/journal.c src/wirefilter/replay.c \
	src/wirefilter/textfile.c
test_journal_LDLIBS := -lm
$(call unit_test,test_classes,filter impair common base)
test_classes_SRCS += src/wirefilter/classes.c src/wirefilter/cmd_class.c \
	src/wirefilter/fromfile.c src/wirefilter/textfile.c \
	src/wirefilter/sorter.c
test_classes_LDLIBS := -lm
$(call unit_test,test_feed,impair common base)
test_feed_SRCS += src/wirefilter/feed.c src/wirefilter/textfile.c
test_feed_LDLIBS := -lm
