/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What somebody asks to be captured. A refusal says why; what is accepted is
 * in range, and means the same when it is written down again, quoted.
 */
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "common/pcapng.h"
#include "switch/bridge.h"
#include "switch/capspec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
	if (!ok)
		abort();
}

static void put_quoted(struct strbuf *b, const char *s)
{
	strbuf_add(b, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			strbuf_add(b, "\\");
		strbuf_addn(b, s, 1);
	}
	strbuf_add(b, "\"");
}

/* In another order, and only what is not the default. */
static void write_down(const struct capspec *cs, struct strbuf *b)
{
	put_quoted(b, cs->target);
	if (cs->count)
		strbuf_fmt(b, " count %llu", (unsigned long long)cs->count);
	strbuf_fmt(b, " snaplen %u", cs->snaplen);
	if (cs->filter[0]) {
		strbuf_add(b, " filter ");
		put_quoted(b, cs->filter);
	}
	strbuf_fmt(b, "\tdirection %s", capture_direction_name(cs->direction));
	if (cs->vlan >= 0)
		strbuf_fmt(b, " vlan 0x%x", (unsigned int)cs->vlan);
	if (cs->port >= 0)
		strbuf_fmt(b, " port %d", cs->port);
}

static void check_accepted(const struct capspec *cs)
{
	expect(cs->target[0] && strlen(cs->target) < sizeof(cs->target));
	expect(strlen(cs->filter) < sizeof(cs->filter));
	expect(cs->port >= -1 && cs->port <= BRIDGE_PORTS_MAX);
	expect(cs->vlan >= -1 && cs->vlan <= VLAN_MAX);
	expect(cs->direction < CAPTURE_N_DIRECTIONS);
	expect(cs->snaplen && cs->snaplen <= PCAPNG_SNAPLEN_MAX);
	expect(cs->count <= INT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[CAPSPEC_TEXT + 64], again_text[CAPSPEC_TEXT], reason[256];
	struct capspec cs, again;
	struct strbuf why, b;

	size = size_min(size, sizeof(text) - 1);
	memcpy(text, data, size);
	text[size] = '\0';
	strbuf_init(&why, reason, sizeof(reason));
	if (!capspec_parse(&cs, text, &why)) {
		expect(why.len > 0);
		return 0;
	}
	expect(why.len == 0);
	check_accepted(&cs);
	strbuf_init(&b, again_text, sizeof(again_text));
	write_down(&cs, &b);
	if (b.cut)
		return 0;
	expect(capspec_parse(&again, again_text, &why));
	expect(!memcmp(&cs, &again, sizeof(cs)));
	return 0;
}
