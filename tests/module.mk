# One program per module under test; its _LIBS are an assertion about layers.
unit_test = $(eval TESTS += $(1))$(eval $(1)_SRCS := tests/unit/$(1).c)$(eval $(1)_LIBS := $(2))

$(call unit_test,test_cursor,base)
$(call unit_test,test_loop,common base)
$(call unit_test,test_chain,chain base)
$(call unit_test,test_mactab,bridge base)
$(call unit_test,test_bridge,bridge base)
$(call unit_test,test_session,term base)
$(call unit_test,test_words,term base)
$(call unit_test,test_clean,term base)
$(call unit_test,test_script,term base)
$(call unit_test,test_log,common base)
