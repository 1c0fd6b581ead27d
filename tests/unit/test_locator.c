// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/locator.h"

#include <errno.h>
#include <string.h>

#include "../unit/test.h"

static struct locator loc;

/* What a path locator said; "-" for what it did not. */
static struct {
	char text[256];
	const char *word, *port, *group, *mode;
} got;

static int parse(const char *s)
{
	const struct locator_option options[] = {
		{ "", &got.word },	    { "port", &got.port },
		{ "portgroup", &got.port }, { "group", &got.group },
		{ "mode", &got.mode },	    { NULL, NULL },
	};

	memset(&got, 0, sizeof(got));
	got.word = got.port = got.group = got.mode = "-";
	snprintf(got.text, sizeof(got.text), "%s", s);
	return locator_parse_path(got.text, options);
}

/* True if @s means @path with these options. */
static bool means(const char *s, const char *path, const char *word,
		  const char *port, const char *group, const char *mode)
{
	int rc = parse(s);

	if (rc >= 0 && !strcmp(got.text, path) && !strcmp(got.word, word) &&
	    !strcmp(got.port, port) && !strcmp(got.group, group) &&
	    !strcmp(got.mode, mode))
		return true;
	printf("# %s: %d %s [%s/port=%s/group=%s/mode=%s]\n", s, rc, got.text,
	       got.word, got.port, got.group, got.mode);
	return false;
}

static void text_without_a_module_is_for_vde(void)
{
	CHECK(locator_split(&loc, "/tmp/sw") == 0);
	CHECK(loc.bare && !strcmp(loc.module, "vde"));
	CHECK(!strcmp(loc.address, "/tmp/sw"));
	CHECK(locator_split(&loc, "") == 0 && loc.bare && !*loc.address);
	CHECK(locator_split(&loc, "/tmp/a://b") == 0 && loc.bare);
	CHECK(!strcmp(loc.address, "/tmp/a://b"));
	CHECK(locator_split(&loc, "tap:x") == 0 && loc.bare);
}

static void a_module_is_what_stands_before_the_slashes(void)
{
	CHECK(locator_split(&loc, "vxvde://239.1.2.3/port=7") == 0);
	CHECK(!loc.bare && !strcmp(loc.module, "vxvde"));
	CHECK(!strcmp(loc.address, "239.1.2.3/port=7"));
	CHECK(locator_split(&loc, "vde://") == 0 && !loc.bare);
	CHECK(!*loc.address);
}

static void a_module_must_have_a_name_that_fits(void)
{
	CHECK(locator_split(&loc, "://x") == -EINVAL);
	CHECK(locator_split(&loc, "abcdefghijklmnopqrstuvwxyz01234://") == 0);
	CHECK(locator_split(&loc, "abcdefghijklmnopqrstuvwxyz012345://") ==
	      -EINVAL);
}

static void a_plain_path_is_itself(void)
{
	CHECK(means("/tmp/sw", "/tmp/sw", "-", "-", "-", "-"));
	CHECK(means("", "", "-", "-", "-", "-"));
	CHECK(means("/a b", "/a b", "-", "-", "-", "-"));
	CHECK(means("]", "]", "-", "-", "-", "-"));
	CHECK(parse("/tmp/sw") == 0);
}

static void a_word_in_brackets_is_the_port(void)
{
	CHECK(means("/s[3]", "/s", "3", "-", "-", "-"));
	CHECK(means("[3]", "", "3", "-", "-", "-"));
	CHECK(means("/s[abc]", "/s", "abc", "-", "-", "-"));
	CHECK(means("/s[3/4]", "/s", "4", "-", "-", "-"));
	CHECK(means("/s[]", "/s", "-", "-", "-", "-"));
	CHECK(means("/s[/]", "/s", "-", "-", "-", "-"));
	CHECK(parse("/s[]") == 1);
}

static void options_may_be_abbreviated_and_repeated(void)
{
	CHECK(means("/s[port=3/group=g/mode=700]", "/s", "-", "3", "g", "700"));
	CHECK(means("/s[p=3/g=x/m=1]", "/s", "-", "3", "x", "1"));
	CHECK(means("/s[po=3/portg=x]", "/s", "-", "x", "-", "-"));
	CHECK(means("/s[mode]", "/s", "-", "-", "-", ""));
	CHECK(means("/s[por]", "/s", "-", "", "-", "-"));
	CHECK(means("/s[group=]", "/s", "-", "-", "", "-"));
	CHECK(means("/s[group=a=b]", "/s", "-", "-", "a=b", "-"));
}

static void quotes_take_the_meaning_away(void)
{
	CHECK(means("/s[\"x/y\"/port=7]", "/s", "x/y", "7", "-", "-"));
	CHECK(means("/s['q]w']", "/s", "q]w", "-", "-", "-"));
	CHECK(means("/s[a\\]b]", "/s", "a]b", "-", "-", "-"));
	CHECK(means("/s[a%5Db]", "/s", "a]b", "-", "-", "-"));
	CHECK(means("/%41b[%41]", "/Ab", "A", "-", "-", "-"));
	CHECK(means("/'x[y'z[3]", "/x[yz", "3", "-", "-", "-"));
	CHECK(means("/a\\[b\\]", "/a[b]", "-", "-", "-", "-"));
	CHECK(means("/a/\"b[c]\"[2]", "/a/b[c]", "2", "-", "-", "-"));
	CHECK(means("/s[gro\"up\"=x]", "/s", "-", "-", "x", "-"));
	CHECK(means("/s[\"a\"b]", "/s", "ab", "-", "-", "-"));
	CHECK(means("/s[\"a=b\"]", "/s", "a=b", "-", "-", "-"));
	CHECK(means("/'%41\\'", "/%41\\", "-", "-", "-", "-"));
}

static void a_percent_sign_without_digits_is_one(void)
{
	CHECK(means("/100%", "/100%", "-", "-", "-", "-"));
	CHECK(means("/s[%zz]", "/s", "%zz", "-", "-", "-"));
	CHECK(means("/s[x%4]", "/s", "x%4", "-", "-", "-"));
	CHECK(means("/x\\", "/x\\", "-", "-", "-", "-"));
}

static void a_bad_path_locator_is_refused(void)
{
	CHECK(parse("/s[foo=3]") == -EINVAL);
	CHECK(parse("/s[=3]") == -EINVAL);
	CHECK(parse("/s[3") == -EINVAL);
	CHECK(parse("/s[3]x") == -EINVAL);
	CHECK(parse("/s[3][4]") == -EINVAL);
	CHECK(parse("/s['3]") == -EINVAL);
	CHECK(parse("/it's") == -EINVAL);
	CHECK(parse("/a%00b") == -EINVAL);
	CHECK(parse("[") == -EINVAL);
}

static bool is_udp(const char *s, const char *src, int src_port,
		   const char *dst, int dst_port)
{
	struct locator_udp u;

	if (locator_parse_udp(&u, s) == 0 && !strcmp(u.src_host, src) &&
	    u.src_port == src_port && !strcmp(u.dst_host, dst) &&
	    u.dst_port == dst_port)
		return true;
	printf("# %s: %s:%d -> %s:%d\n", s, u.src_host, u.src_port, u.dst_host,
	       u.dst_port);
	return false;
}

static void a_udp_cable_has_two_ends(void)
{
	CHECK(is_udp("1->h:2", "", 1, "h", 2));
	CHECK(is_udp("a.b:1->h:65535", "a.b", 1, "h", 65535));
	CHECK(is_udp("[::1]:1->[fe80::2%eth0]:2", "::1", 1, "fe80::2%eth0", 2));
	CHECK(is_udp("::1:17->fe80::2:18", "::1", 17, "fe80::2", 18));
	CHECK(is_udp("0->h:2", "", 0, "h", 2));
	CHECK(is_udp(":5->h:2", "", 5, "h", 2));
}

static void a_bad_udp_cable_is_refused(void)
{
	static const char *const bad[] = {
		"",	      "1",	 "->",	       "1->",	  "1->h",
		"1->h:",      "1->:2",	 "1->h:0",     "->h:1",	  "x->h:1",
		"65536->h:1", "1->h:-1", "1->h:65536", "h:->h:1", "[::1:1->h:2",
		"1->[::1]",   "1->[]:2", "1->[h:2",    "h1->h:1",
	};
	char host[LOCATOR_HOST_SIZE + 1], s[sizeof(host) + 16];
	struct locator_udp u;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK(locator_parse_udp(&u, bad[i]) == -EINVAL);
		if (test_failed)
			printf("# %s\n", bad[i]);
	}
	memset(host, 'h', sizeof(host));
	host[sizeof(host) - 1] = '\0';
	snprintf(s, sizeof(s), "1->%s:2", host);
	CHECK(locator_parse_udp(&u, s) == -EINVAL);
	CHECK(locator_parse_udp(&u, "1->h:2") == 0);
}

int main(void)
{
	RUN(text_without_a_module_is_for_vde);
	RUN(a_module_is_what_stands_before_the_slashes);
	RUN(a_module_must_have_a_name_that_fits);
	RUN(a_plain_path_is_itself);
	RUN(a_word_in_brackets_is_the_port);
	RUN(options_may_be_abbreviated_and_repeated);
	RUN(quotes_take_the_meaning_away);
	RUN(a_percent_sign_without_digits_is_one);
	RUN(a_bad_path_locator_is_refused);
	RUN(a_udp_cable_has_two_ends);
	RUN(a_bad_udp_cable_is_refused);
	DONE();
}
