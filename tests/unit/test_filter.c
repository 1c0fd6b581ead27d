// SPDX-License-Identifier: GPL-2.0-or-later
/* What libpcap makes of filters, as our programs ask it. */
#include "common/filter.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../unit/test.h"

/* An ICMP echo request, and the same with the tag of VLAN 5. */
static const uint8_t ping[60] =
	"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"
	"\x45\0\0\x1c\0\0\0\0\x40\1\0\0\x0a\0\0\1\x0a\0\0\2"
	"\x08";
static uint8_t tagged[64];
static const uint8_t arp[60] = "\xff\xff\xff\xff\xff\xff\2\0\0\0\0\1\x08\x06";

static char why_text[256];

static struct filter *compile(const char *text)
{
	struct strbuf why;

	strbuf_init(&why, why_text, sizeof(why_text));
	return filter_new(text, &why);
}

static bool matches(const char *text, const uint8_t *frame, size_t len)
{
	struct filter *f = compile(text);
	bool yes = f && filter_matches(f, frame, len, len);

	if (!f)
		printf("# %s: %s\n", text, why_text);
	filter_free(f);
	return yes;
}

static void a_filter_lets_pass_what_it_names(void)
{
	CHECK(matches("icmp", ping, sizeof(ping)));
	CHECK(!matches("icmp", arp, sizeof(arp)));
	CHECK(matches("arp and ether broadcast", arp, sizeof(arp)));
	CHECK(matches("src host 10.0.0.1 and len = 60", ping, sizeof(ping)));
	CHECK(!matches("src host 10.0.0.2", ping, sizeof(ping)));
}

static void a_tag_is_seen_where_it_is_on_the_wire(void)
{
	CHECK(matches("vlan 5 and icmp", tagged, sizeof(tagged)));
	CHECK(!matches("vlan 6 and icmp", tagged, sizeof(tagged)));
	CHECK(!matches("vlan 5 and icmp", ping, sizeof(ping)));
	CHECK(!matches("icmp", tagged, sizeof(tagged)));
}

static void a_short_frame_matches_nothing_that_it_has_not(void)
{
	CHECK(!matches("icmp", ping, 13));
	CHECK(matches("less 100", ping, 13));
	CHECK(!matches("ether[0] = 2", ping, 0));
}

static void bad_text_is_refused_in_libpcaps_words(void)
{
	CHECK(!compile("icmp and and"));
	CHECK(strstr(why_text, "syntax error") != NULL);
	CHECK(!compile("port nosuchport"));
	CHECK(why_text[0]);
	CHECK(!compile("vlan 4097"));
	CHECK(!compile("tcp[100000000000] = 1"));
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* A name server would take seconds to say so where there is none. */
static void a_name_is_not_asked_of_others(void)
{
	uint64_t start = now_ms();

	CHECK(!compile("host no-such-host.example.com"));
	CHECK(why_text[0]);
	CHECK(now_ms() - start < 500);
}

/* As long as it may be; a # in @next is a number. */
static void repeat(char *text, const char *next)
{
	struct strbuf b;

	strbuf_init(&b, text, FILTER_TEXT_MAX + 1);
	strbuf_add(&b, "portrange 1-60000");
	for (unsigned int i = 1; b.len + 2 * strlen(next) < FILTER_TEXT_MAX;
	     i++)
		for (const char *p = next; *p; p++) {
			if (*p == '#')
				strbuf_fmt(&b, "%u", i);
			else
				strbuf_addn(&b, p, 1);
		}
}

static void the_worst_text_does_not_stop_a_switch_for_long(void)
{
	static const char *const next[] = {
		" or #",
		" or port #",
		" or portrange #-60000",
		" or (host 10.0.0.# and tcp)",
		" and (port # or port 1#)",
		" or vlan #",
		" or not (net 10.#.0.0/16 and udp)",
		" or ip[#] & ip[#:4] > ip[#]",
		" or ip6 protochain #",
	};

	for (size_t i = 0; i < ARRAY_SIZE(next); i++) {
		char text[FILTER_TEXT_MAX + 1];
		uint64_t start = now_ms();
		struct filter *f;

		repeat(text, next[i]);
		f = compile(text);
		printf("# %s ...: %u ms %s\n", next[i],
		       (unsigned int)(now_ms() - start), f ? "" : why_text);
		CHECK(now_ms() - start < 1000);
		filter_free(f);
	}
}

static void a_filter_has_a_bound(void)
{
	char text[FILTER_TEXT_MAX + 2];

	memset(text, ' ', sizeof(text));
	memcpy(text, "ip", 2);
	text[FILTER_TEXT_MAX + 1] = '\0';
	CHECK(!compile(text));
	CHECK(strstr(why_text, "at most") != NULL);
	text[FILTER_TEXT_MAX] = '\0';
	CHECK(matches(text, ping, sizeof(ping)));
}

int main(void)
{
	struct filter *f = compile("ip");

	if (!f) {
		printf("# skip: %s\n", why_text);
		return 77;
	}
	filter_free(f);
	memcpy(tagged, ping, 12);
	memcpy(tagged + 12, "\x81\0\0\5", 4);
	memcpy(tagged + 16, ping + 12, 48);
	RUN(a_filter_lets_pass_what_it_names);
	RUN(a_tag_is_seen_where_it_is_on_the_wire);
	RUN(a_short_frame_matches_nothing_that_it_has_not);
	RUN(bad_text_is_refused_in_libpcaps_words);
	RUN(a_name_is_not_asked_of_others);
	RUN(a_filter_has_a_bound);
	RUN(the_worst_text_does_not_stop_a_switch_for_long);
	DONE();
}
