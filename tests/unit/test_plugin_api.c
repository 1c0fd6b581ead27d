// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What plugins that are built and gone rely on: the places of all members of
 * VDE_PLUGIN_API 1 on machines of 64 bits. A line here is never changed; what
 * is added at the end of a struct gets one more.
 */
#include "switch/vde_plugin.h"

#include <assert.h>

#include "../unit/test.h"

#define AT(type, member, offset)                                         \
	static_assert(sizeof(void *) != 8 ||                             \
			      offsetof(struct type, member) == (offset), \
		      #type "." #member " has moved")
#define SIZE(type, size)                                                    \
	static_assert(sizeof(void *) != 8 || sizeof(struct type) == (size), \
		      #type " is of another size")

static_assert(VDE_PLUGIN_API == 1, "a new API needs a new table");

/* What a plugin gives: fixed. */
SIZE(vde_plugin, 40);
AT(vde_plugin, api, 0);
AT(vde_plugin, size, 4);
AT(vde_plugin, name, 8);
AT(vde_plugin, help, 16);
AT(vde_plugin, init, 24);
AT(vde_plugin, fini, 32);

SIZE(vde_plugin_command, 48);
AT(vde_plugin_command, syntax, 0);
AT(vde_plugin_command, shown, 8);
AT(vde_plugin_command, help, 16);
AT(vde_plugin_command, fn, 24);
AT(vde_plugin_command, arg, 32);
AT(vde_plugin_command, flags, 40);

/* What the switch gives. */
AT(vde_plugin_ctx, host, 0);
AT(vde_plugin_ctx, data, 8);

AT(vde_plugin_frame, size, 0);
AT(vde_plugin_frame, point, 4);
AT(vde_plugin_frame, port, 8);
AT(vde_plugin_frame, len, 12);
AT(vde_plugin_frame, data, 16);
AT(vde_plugin_frame, time, 24);
AT(vde_plugin_frame, reason, 32);
AT(vde_plugin_frame, vlan, 40);
AT(vde_plugin_frame, tci, 42);
AT(vde_plugin_frame, tagged, 44);
AT(vde_plugin_frame, flags, 45);
AT(vde_plugin_frame, gso_type, 46);
AT(vde_plugin_frame, gso_size, 48);
AT(vde_plugin_frame, hdr_len, 50);
AT(vde_plugin_frame, csum_start, 52);
AT(vde_plugin_frame, csum_offset, 54);

AT(vde_plugin_event, size, 0);
AT(vde_plugin_event, type, 4);
AT(vde_plugin_event, port, 8);
AT(vde_plugin_event, old_port, 12);
AT(vde_plugin_event, vlan, 16);
AT(vde_plugin_event, endpoint, 20);
AT(vde_plugin_event, address, 24);
AT(vde_plugin_event, descr, 32);
AT(vde_plugin_event, uid, 40);

AT(vde_plugin_endpoint, size, 0);
AT(vde_plugin_endpoint, id, 4);
AT(vde_plugin_endpoint, uid, 8);
AT(vde_plugin_endpoint, descr, 16);
AT(vde_plugin_endpoint, module, 24);

AT(vde_plugin_port, size, 0);
AT(vde_plugin_port, untagged_vlan, 4);
AT(vde_plugin_port, uid, 8);
AT(vde_plugin_port, active, 12);
AT(vde_plugin_port, in_frames, 16);
AT(vde_plugin_port, in_bytes, 24);
AT(vde_plugin_port, out_frames, 32);
AT(vde_plugin_port, out_bytes, 40);

AT(vde_plugin_host, api, 0);
AT(vde_plugin_host, size, 4);
AT(vde_plugin_host, watch_frames, 8);
AT(vde_plugin_host, add_commands, 16);
AT(vde_plugin_host, add_category, 24);
AT(vde_plugin_host, watch_events, 32);
AT(vde_plugin_host, start_timer, 40);
AT(vde_plugin_host, remove, 48);
AT(vde_plugin_host, unload, 56);
AT(vde_plugin_host, wanted, 64);
AT(vde_plugin_host, emit, 72);
AT(vde_plugin_host, arg_count, 80);
AT(vde_plugin_host, arg_num, 88);
AT(vde_plugin_host, arg_str, 96);
AT(vde_plugin_host, pause, 104);
AT(vde_plugin_host, more, 112);
AT(vde_plugin_host, put_text, 120);
AT(vde_plugin_host, put_line, 128);
AT(vde_plugin_host, put_num, 136);
AT(vde_plugin_host, put_str, 144);
AT(vde_plugin_host, put_bool, 152);
AT(vde_plugin_host, open_object, 160);
AT(vde_plugin_host, open_list, 168);
AT(vde_plugin_host, close, 176);
AT(vde_plugin_host, now, 184);
AT(vde_plugin_host, log, 192);
AT(vde_plugin_host, next_port, 200);
AT(vde_plugin_host, port_info, 208);
AT(vde_plugin_host, endpoints, 216);
AT(vde_plugin_host, user_name, 224);
AT(vde_plugin_host, find_user, 232);

static void numbers_keep_their_meaning(void)
{
	CHECK(VDE_PLUGIN_IN == 1 && VDE_PLUGIN_OUT == 2 &&
	      VDE_PLUGIN_DROPPED == 4);
	CHECK(VDE_PLUGIN_PASS == 0 && VDE_PLUGIN_VETO == 1);
	CHECK(VDE_PLUGIN_DATA == 1 && VDE_PLUGIN_MORE == 1000);
	CHECK(VDE_PLUGIN_PORT_UP == 0 && VDE_PLUGIN_PORT_DOWN == 1);
	CHECK(VDE_PLUGIN_ENDPOINT_UP == 2 && VDE_PLUGIN_ENDPOINT_DOWN == 3);
	CHECK(VDE_PLUGIN_ADDRESS_NEW == 4 && VDE_PLUGIN_ADDRESS_GONE == 5);
	CHECK(VDE_PLUGIN_ADDRESS_MOVED == 6 && VDE_PLUGIN_HANGUP == 7);
	CHECK(VDE_PLUGIN_NOBODY == 0xffffffff);
}

int main(void)
{
	RUN(numbers_keep_their_meaning);
	DONE();
}
