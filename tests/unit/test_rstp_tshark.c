// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tshark reads what bridges send: every BPDU of a small network, with an STP
 * bridge in it, goes into a capture file, as it is, and as it leaves a trunk.
 * The dissection must find nothing to complain about, and the same numbers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ether.h"
#include "base/strbuf.h"
#include "switch/rstp.h"

#include "../unit/test.h"

#define SEC UINT64_C(1000000000)
#define FRAMES 400
#define LEN (RSTP_FRAME_MAX + ETHER_TAG_LEN)
#define FIELDS                                                        \
	"-e stp.version -e stp.type -e stp.flags -e stp.root.prio "   \
	"-e stp.root.hw -e stp.root.cost -e stp.bridge.prio -e "      \
	"stp.bridge.hw -e stp.port -e stp.msg_age -e stp.max_age -e " \
	"stp.hello -e stp.forward -e vlan.id -e _ws.malformed -e "    \
	"_ws.expert.message -e eth.padding -e eth.trailer"

struct sent {
	size_t len;
	uint8_t bytes[LEN];
};

static struct sent frames[2 * FRAMES];
static unsigned int n_frames;
static char dir[64], path[96], line[1024];

/* ---- a network: two bridges of ours, one that speaks STP ---- */

static struct rstp *bridges[3];
static uint64_t now = SEC;

/* Port 1 of a bridge leads to the one before it, port 2 to the one behind. */
static void on_transmit(void *ctx, unsigned int port, const uint8_t *frame,
			size_t len)
{
	struct sent *f = &frames[n_frames];

	if (n_frames >= FRAMES)
		return;
	memcpy(f->bytes, frame, len);
	f->len = len;
	/* whose it is, for pump() */
	f->bytes[LEN - 1] = (uint8_t)((struct rstp **)ctx - bridges);
	f->bytes[LEN - 2] = (uint8_t)port;
	n_frames++;
}

static void on_state(void *ctx, unsigned int port, enum rstp_state s)
{
}

static void on_flush(void *ctx, unsigned int port)
{
}

static void on_event(void *ctx, const struct rstp_event *ev)
{
}

static void pump(unsigned int *done)
{
	for (; *done < n_frames; ++*done) {
		const struct sent *f = &frames[*done];
		int from = f->bytes[LEN - 1];
		int to = f->bytes[LEN - 2] == 1 ? from - 1 : from + 1;

		if (to >= 0 && to < 3 && bridges[to] &&
		    !(to == 2 && f->bytes[20] == 2)) /* deaf to RST BPDUs */
			rstp_receive(bridges[to],
				     f->bytes[LEN - 2] == 1 ? 2 : 1, f->bytes,
				     f->len, now);
	}
}

static void make_frames(void)
{
	static const struct rstp_ops ops = { on_transmit, on_state, on_flush,
					     on_event };
	const struct rstp_port_config pc = { .path_cost = 20000,
					     .priority = 0x40,
					     .enabled = true,
					     .auto_edge = true,
					     .point_to_point = true };
	unsigned int done = 0;

	for (unsigned int i = 0; i < 3; i++) {
		struct rstp_config cf = { .ops = &ops,
					  .ctx = &bridges[i],
					  .bridge = (uint64_t)(i << 12) << 48 |
						    (0x020000000001 + i),
					  .params = RSTP_PARAMS_DEFAULT };

		cf.params.stp = i == 2;
		bridges[i] = rstp_new(&cf, now);
		for (unsigned int p = 1; p <= 2; p++) {
			rstp_port_add(bridges[i], p, &pc, now);
			rstp_port_set_link(bridges[i], p, true, now);
		}
	}
	for (int t = 0; t < 50; t++) {
		pump(&done);
		now += SEC;
		for (unsigned int i = 0; i < 3; i++)
			rstp_tick(bridges[i], now);
	}
	for (unsigned int i = 0; i < 3; i++)
		rstp_free(bridges[i]);
}

/* ---- the capture ---- */

static void add_tagged(void)
{
	static const uint8_t tag[] = { 0x81, 0x00, 0x00, 0x05 };

	for (unsigned int i = 0; i < n_frames; i++) {
		struct sent *f = &frames[n_frames + i];

		*f = frames[i];
		memcpy(f->bytes + 12, tag, sizeof(tag));
		memcpy(f->bytes + 16, frames[i].bytes + 12, frames[i].len - 12);
		f->len += sizeof(tag);
	}
}

static bool write_capture(void)
{
	const uint32_t head[] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1 };
	FILE *f = fopen(path, "wb");
	bool ok;

	if (!f)
		return false;
	ok = fwrite(head, sizeof(head), 1, f) == 1;
	for (unsigned int i = 0; i < 2 * n_frames; i++) {
		const uint32_t len = (uint32_t)frames[i].len;
		const uint32_t record[] = { i, 0, len, len };

		ok &= fwrite(record, sizeof(record), 1, f) == 1 &&
		      fwrite(frames[i].bytes, len, 1, f) == 1;
	}
	return fclose(f) == 0 && ok;
}

/* What tshark should print. */
static void expected(char *s, size_t size, unsigned int i)
{
	const struct sent *f = &frames[i % n_frames];
	const char *vlan = i < n_frames ? "" : "5";
	struct rstp_bpdu b;
	char root[ETHER_STRLEN], bridge[ETHER_STRLEN];

	CHECK(rstp_bpdu_parse(&b, f->bytes, f->len));
	if (b.kind == RSTP_TCN) {
		str_fmt(s, size, "0|0x80||||||||||||%s||||", vlan);
		return;
	}
	ether_str(root, b.root & UINT64_C(0xffffffffffff));
	ether_str(bridge, b.bridge & UINT64_C(0xffffffffffff));
	str_fmt(s, size,
		"%d|0x%02x|0x%02x|%u|%s|%u|%u|%s|0x%04x|%g|%g|%g|%g|%s||||",
		b.kind == RSTP_RST ? 2 : 0, b.kind == RSTP_RST ? 2 : 0,
		f->bytes[21], (unsigned int)(b.root >> 48) & 0xf000, root,
		b.cost, (unsigned int)(b.bridge >> 48) & 0xf000, bridge, b.port,
		b.times.message_age / 256.0, b.times.max_age / 256.0,
		b.times.hello / 256.0, b.times.forward_delay / 256.0, vlan);
}

static FILE *tshark(const char *args)
{
	char cmd[1024];

	/* It reads settings of the user; this one has none. */
	CHECK(str_fmt(cmd, sizeof(cmd),
		      "HOME=%s XDG_CONFIG_HOME=%s tshark -n -r %s %s 2>&1", dir,
		      dir, path, args) > 0);
	return popen(cmd, "r");
}

/* Lines of which are ours begin with a digit: root prints a warning first. */
static bool next_line(FILE *f)
{
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] >= '0' && line[0] <= '9')
			return true;
	}
	return false;
}

static void every_bpdu_is_dissected_as_it_was_meant(void)
{
	unsigned int kinds[3] = { 0 }, i = 0;
	FILE *f = tshark("-T fields -E separator='|' " FIELDS);
	char want[512];

	CHECK(f);
	for (; f && next_line(f) && i < 2 * n_frames; i++) {
		expected(want, sizeof(want), i);
		kinds[want[0] == '2' ? 0 : want[4] == '8' ? 1 : 2]++;
		if (strcmp(line, want) != 0)
			printf("# %u: %s\n#      %s\n", i, line, want);
		CHECK(!strcmp(line, want));
	}
	CHECK(i == 2 * n_frames);
	CHECK(kinds[0] > 20 && kinds[1] > 0 && kinds[2] > 20);
	CHECK(f && pclose(f) == 0);
}

static void nothing_is_malformed_in_any_detail(void)
{
	FILE *f = tshark("-V");
	unsigned int protocols = 0;

	CHECK(f);
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "Spanning Tree Protocol", 22))
			protocols++;
		if (strstr(line, "alformed") || strstr(line, "xpert")) {
			printf("# %s", line);
			CHECK(!"nothing to complain about");
		}
	}
	CHECK(protocols == 2 * n_frames);
	CHECK(f && pclose(f) == 0);
}

int main(void)
{
	if (system("command -v tshark >/dev/null 2>&1") != 0) {
		printf("# skip: there is no tshark\n");
		return 77;
	}
	if (str_fmt(dir, sizeof(dir), "/tmp/vde-rstp.XXXXXX") < 0 ||
	    !mkdtemp(dir) || str_fmt(path, sizeof(path), "%s/c.pcap", dir) < 0)
		return 1;
	make_frames();
	add_tagged();
	if (!write_capture())
		return 1;
	RUN(every_bpdu_is_dissected_as_it_was_meant);
	RUN(nothing_is_malformed_in_any_detail);
	unlink(path);
	rmdir(dir);
	DONE();
}
