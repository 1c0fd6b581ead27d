# A fuzz target is tests/fuzz/fuzz_PARSER.c with stored inputs, at least one,
# in tests/fuzz/corpus/fuzz_PARSER/; its _LIBS are an assertion about layers.
# `make check` replays the inputs, `make fuzz` looks for new ones.
fuzz_test = $(eval FUZZ_TARGETS += $(1))$(eval $(1)_LIBS := $(2))
$(call fuzz_test,fuzz_chain,chain base)

$(call fuzz_test,fuzz_session,term base)
$(call fuzz_test,fuzz_script,term base)
$(call fuzz_test,fuzz_locator,vdeplug base)
$(call fuzz_test,fuzz_stream,vdeplug base)
$(call fuzz_test,fuzz_console,common base)
$(call fuzz_test,fuzz_load,common base)
$(call fuzz_test,fuzz_wire,base)
$(call fuzz_test,fuzz_rstp,bridge base)
$(call fuzz_test,fuzz_rstp_net,bridge base)
$(call fuzz_test,fuzz_stp,bridge base)
$(call fuzz_test,fuzz_mcast,bridge base)
$(call fuzz_test,fuzz_loopguard,bridge base)
$(call fuzz_test,fuzz_bridge,bridge base)
$(call fuzz_test,fuzz_ports,bridge base)
$(call fuzz_test,fuzz_offload,base)
$(call fuzz_test,fuzz_ring,base)
$(call fuzz_test,fuzz_ring_client,vdeplug base)
$(call fuzz_test,fuzz_ring_port,bridge common base)
$(call fuzz_test,fuzz_capspec,capture base)
$(call fuzz_test,fuzz_ipsight,iplog base)
# The encrypted cable.
ifeq ($(call with,SODIUM),yes)
sodium_fuzz = $(call fuzz_test,$(1),tunnel base)$(eval $(1)_LDLIBS := -lsodium)
$(call sodium_fuzz,fuzz_noise)
$(call sodium_fuzz,fuzz_tunnel)
$(call sodium_fuzz,fuzz_tunnel_inner)
endif
$(call fuzz_test,fuzz_value,impair base)
$(call fuzz_test,fuzz_dist,impair base)
fuzz_dist_LDLIBS := -lm
$(call fuzz_test,fuzz_loss,impair base)
$(call fuzz_test,fuzz_trace,impair base)
$(call fuzz_test,fuzz_blackout,impair base)
$(call fuzz_test,fuzz_impair,impair base)
fuzz_impair_LDLIBS := -lm
$(call fuzz_test,fuzz_record,impair base)
fuzz_record_LDLIBS := -lm
$(call fuzz_test,fuzz_wirerc,impair cable filter common vdeplug base)
fuzz_wirerc_SRCS := $(filter-out %/main.c,$(wirefilter_SRCS))
fuzz_wirerc_LDLIBS := -lm
ifeq ($(call with,SODIUM),yes)
cabkeys_fuzz = $(call fuzz_test,$(1),cabkeys admit tunnel common base)$(eval $(1)_LDLIBS := -lsodium)
$(call cabkeys_fuzz,fuzz_address)
$(call cabkeys_fuzz,fuzz_enrol)
$(call cabkeys_fuzz,fuzz_invite)
$(call cabkeys_fuzz,fuzz_join)
$(call cabkeys_fuzz,fuzz_keyfile)
$(call cabkeys_fuzz,fuzz_peersfile)
endif
