// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/log.h"

#include <string.h>
#include <unistd.h>

#include "../unit/test.h"

static char text[65536];
static int saved, fds[2];

/* Between these two, what is logged comes to @text. */
static void capture(void)
{
	CHECK(!pipe(fds));
	saved = dup(2);
	dup2(fds[1], 2);
	close(fds[1]);
}

static void release(void)
{
	size_t len = 0;
	ssize_t n;

	dup2(saved, 2);
	close(saved);
	while ((n = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fds[0]);
}

static int lines(void)
{
	int n = 0;

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

static void messages_have_the_name_and_the_level(void)
{
	capture();
	log_err("unable to %s", "go");
	log_warn("w");
	log_notice("n");
	log_info("hidden");
	log_debug("hidden");
	release();
	CHECK(!strcmp(text, "prog: error: unable to go\nprog: warning: w\n"
			    "prog: n\n"));
	CHECK(!strcmp(log_name(), "prog"));
}

static void the_level_can_change(void)
{
	capture();
	log_set_level(LOG_DEBUG);
	log_info("i");
	log_debug("d");
	log_set_level(LOG_ERR);
	log_warn("hidden");
	log_set_level(LOG_NOTICE);
	release();
	CHECK(!strcmp(text, "prog: i\nprog: debug: d\n"));
}

static void a_message_is_one_line_whatever_is_in_it(void)
{
	static const char first[] =
		"prog: warning: a?prog: error: forged??[2J?\n";
	char big[3000];

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	capture();
	log_warn("%s", "a\nprog: error: forged\r\033[2J\177");
	log_warn("%s", big);
	release();
	CHECK(lines() == 2);
	CHECK(!strncmp(text, first, strlen(first)));
	CHECK(strlen(text) < 1200);
}

static void burst(struct log_limit *rl, uint64_t now, int n)
{
	capture();
	for (int i = 0; i < n; i++)
		log_warn_rl(rl, now, "peer %d", i);
	release();
}

#define SEC UINT64_C(1000000000)

static void a_flood_is_cut_to_a_burst_and_one_a_second(void)
{
	struct log_limit rl = { 0 };

	burst(&rl, 5 * SEC, 1000);
	CHECK(lines() == 10);
	burst(&rl, 5 * SEC + SEC / 2, 1000);
	CHECK(lines() == 0);
	burst(&rl, 6 * SEC, 1000);
	CHECK(!strcmp(text, "prog: warning: 1990 more messages like the next "
			    "one were left out\nprog: warning: peer 0\n"));
	burst(&rl, 7 * SEC, 1000);
	CHECK(strstr(text, " 999 more ") && lines() == 2);
}

static void a_long_silence_allows_a_new_burst(void)
{
	struct log_limit rl = { 0 };

	burst(&rl, 0, 100);
	CHECK(lines() == 10);
	burst(&rl, 60 * SEC, 100);
	CHECK(lines() == 11); /* and the count of those left out */
}

static void a_slow_trickle_is_all_shown(void)
{
	struct log_limit rl = { 0 };
	int shown = 0;

	for (uint64_t i = 0; i < 100; i++) {
		burst(&rl, i * SEC, 1);
		shown += lines();
	}
	CHECK(shown == 100);
}

static void each_kind_has_its_own_limit(void)
{
	struct log_limit a = { 0 }, b = { 0 };

	burst(&a, SEC, 100);
	burst(&b, SEC, 1);
	CHECK(!strcmp(text, "prog: warning: peer 0\n"));
}

int main(void)
{
	log_open("/some/where/prog", LOG_NOTICE);
	RUN(messages_have_the_name_and_the_level);
	RUN(the_level_can_change);
	RUN(a_message_is_one_line_whatever_is_in_it);
	RUN(a_flood_is_cut_to_a_burst_and_one_a_second);
	RUN(a_long_silence_allows_a_new_burst);
	RUN(a_slow_trickle_is_all_shown);
	RUN(each_kind_has_its_own_limit);
	DONE();
}
