// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which class a frame belongs to.
 */
#include "wirefilter/sorter.h"

#include <errno.h>
#include <string.h>

#include "../unit/test.h"

/* TCP from port 80 to 443, UDP from 53 to 53, and the first with a tag. */
static uint8_t tcp[60] = "\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"
			 "\x45\0\0\x28\0\0\0\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2"
			 "\0\x50\1\xbb",
	       udp[60] = "\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"
			 "\x45\0\0\x28\0\0\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2"
			 "\0\x35\0\x35",
	       tagged[64];

static char reason[512];
static struct sorter *s;

static int add(unsigned int class, const char *filter)
{
	struct strbuf why;
	int rc;

	strbuf_init(&why, reason, sizeof(reason));
	rc = sorter_add(s, class, filter, &why);
	CHECK((rc == 0) == (why.len == 0));
	return rc;
}

static unsigned int sort(const uint8_t *frame, size_t len)
{
	return sorter_sort(s, 0, frame, len);
}

static void the_first_that_matches_has_the_frame(void)
{
	s = sorter_new();
	CHECK(add(3, "tcp port 443") == 0);
	CHECK(add(1, "ip") == 0);
	CHECK(add(2, "udp") == 0);
	CHECK(sort(tcp, sizeof(tcp)) == 3);
	CHECK(sort(udp, sizeof(udp)) == 1);
	sorter_free(s);
}

static void what_nobody_wants_is_of_class_0(void)
{
	s = sorter_new();
	CHECK(sorter_is_empty(s) && sort(tcp, sizeof(tcp)) == 0);
	CHECK(add(1, "udp") == 0 && !sorter_is_empty(s));
	CHECK(sort(tcp, sizeof(tcp)) == 0 && sort(udp, sizeof(udp)) == 1);
	sorter_free(s);
}

static void a_tag_is_seen(void)
{
	s = sorter_new();
	CHECK(add(1, "vlan 5 and tcp port 443") == 0);
	CHECK(sort(tagged, sizeof(tagged)) == 1);
	CHECK(sort(tcp, sizeof(tcp)) == 0);
	sorter_free(s);
}

static void frames_of_any_length_are_sorted(void)
{
	static const uint8_t long_[65535];

	s = sorter_new();
	CHECK(add(1, "tcp") == 0 && add(2, "len > 60000") == 0);
	for (size_t len = 1; len < 24; len++)
		CHECK(sort(tcp, len) == 0);
	CHECK(sort(tcp, 24) == 1);
	CHECK(sort(long_, sizeof(long_)) == 2);
	sorter_free(s);
}

static void frames_of_a_class_that_goes_are_those_of_the_next(void)
{
	s = sorter_new();
	CHECK(add(1, "port 443") == 0 && add(2, "tcp") == 0);
	CHECK(add(3, "ip") == 0);
	sorter_del(s, 1);
	CHECK(sort(tcp, sizeof(tcp)) == 2 && !sorter_filter(s, 1));
	sorter_del(s, 3);
	CHECK(sort(udp, sizeof(udp)) == 0);
	sorter_del(s, 3); /* again: nothing */
	sorter_del(s, 2);
	CHECK(sorter_is_empty(s) && sort(tcp, sizeof(tcp)) == 0);
	sorter_free(s);
}

static void a_number_is_used_again_behind_the_others(void)
{
	s = sorter_new();
	CHECK(add(1, "tcp") == 0 && add(2, "ip") == 0);
	sort(tcp, sizeof(tcp));
	sorter_del(s, 1);
	CHECK(add(1, "tcp") == 0);
	CHECK(sort(tcp, sizeof(tcp)) == 2);
	CHECK(sorter_nth(s, 0) == 2 && sorter_nth(s, 1) == 1);
	CHECK(sorter_nth(s, 2) == 0);
	CHECK(sorter_count(s, 1, 0)->frames == 0);
	sorter_free(s);
}

static void bad_text_changes_nothing(void)
{
	s = sorter_new();
	CHECK(add(1, "tcp") == 0);
	CHECK(add(2, "tcp prt 443") == -EINVAL);
	CHECK(strstr(reason, "syntax error") && !sorter_filter(s, 2));
	CHECK(sorter_nth(s, 1) == 0 && sort(udp, sizeof(udp)) == 0);
	CHECK(add(2, "udp") == 0);
	CHECK(!strcmp(sorter_filter(s, 2), "udp"));
	CHECK(!strcmp(sorter_filter(s, 1), "tcp"));
	sorter_free(s);
}

static void frames_are_counted_by_class_and_direction(void)
{
	s = sorter_new();
	CHECK(add(1, "tcp") == 0);
	for (int i = 0; i < 3; i++)
		sorter_sort(s, 0, tcp, sizeof(tcp));
	sorter_sort(s, 1, tcp, 50);
	sorter_sort(s, 1, udp, 51);
	CHECK(sorter_count(s, 1, 0)->frames == 3);
	CHECK(sorter_count(s, 1, 0)->bytes == 3 * sizeof(tcp));
	CHECK(sorter_count(s, 1, 1)->frames == 1);
	CHECK(sorter_count(s, 1, 1)->bytes == 50);
	CHECK(sorter_count(s, 0, 0)->frames == 0);
	CHECK(sorter_count(s, 0, 1)->bytes == 51);
	sorter_reset(s);
	CHECK(sorter_count(s, 1, 0)->frames == 0);
	CHECK(sorter_count(s, 0, 1)->bytes == 0);
	CHECK(sort(tcp, sizeof(tcp)) == 1);
	sorter_free(s);
}

static void there_may_be_fifteen(void)
{
	char text[32];

	s = sorter_new();
	for (unsigned int i = 1; i < SORTER_CLASSES; i++) {
		(void)str_fmt(text, sizeof(text), "tcp port %u", 429 + i);
		CHECK(add(i, text) == 0);
	}
	CHECK(sort(tcp, sizeof(tcp)) == 14);
	CHECK(sorter_nth(s, 14) == 15 && sorter_nth(s, 15) == 0);
	sorter_free(s);
	sorter_free(NULL);
}

int main(void)
{
	s = sorter_new();
	if (add(1, "ip") < 0) {
		printf("# skip: %s\n", reason);
		sorter_free(s);
		return 77;
	}
	sorter_free(s);
	memcpy(tagged, tcp, 12);
	memcpy(tagged + 12, "\x81\0\0\5", 4);
	memcpy(tagged + 16, tcp + 12, 48);
	RUN(the_first_that_matches_has_the_frame);
	RUN(what_nobody_wants_is_of_class_0);
	RUN(a_tag_is_seen);
	RUN(frames_of_any_length_are_sorted);
	RUN(frames_of_a_class_that_goes_are_those_of_the_next);
	RUN(a_number_is_used_again_behind_the_others);
	RUN(bad_text_changes_nothing);
	RUN(frames_are_counted_by_class_and_direction);
	RUN(there_may_be_fifteen);
	DONE();
}
