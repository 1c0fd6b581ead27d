// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Enrolling by ssh: lines, words for ssh, and clients with commands in the
 * place of ssh: the other side itself, and others that say nonsense, nothing,
 * or too much.
 */
#include "cryptcab/enrol.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "cryptcab/peersdisk.h"
#include "test.h"

#define K1 "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static char dir[] = "/tmp/vde-enrol.XXXXXX";
static char peers[64], mine[64], key[64], reason[1000], self[200];
static struct strbuf why;

static struct strbuf *anew(void)
{
	strbuf_init(&why, reason, sizeof(reason));
	return &why;
}

/* ---- lines ---- */

static void lines_arrive_as_they_were(void)
{
	struct enrol_request q = { .key = { 1 }, .name = "me" }, q2;
	struct enrol_reply r = { .key = { 1 }, .port = 7667, .name = "me-2" };
	char line[ENROL_LINE_MAX + 1];
	struct enrol_reply r2;

	enrol_write_request(line, &q);
	CHECK(!strcmp(line, "vde-enrol 1 " K1 " me\n"));
	line[strlen(line) - 1] = '\0';
	CHECK(enrol_parse_request(&q2, line) && !memcmp(&q, &q2, sizeof(q)));
	enrol_write_reply(line, &r);
	CHECK(!strcmp(line, "vde-enrolled 1 " K1 " 7667 me-2\n"));
	line[strlen(line) - 1] = '\0';
	CHECK(enrol_parse_reply(&r2, line) && !r2.refused && r2.port == 7667);
	r.refused = true;
	(void)str_copy(r.reason, sizeof(r.reason), "no\nway\x1b[2J");
	enrol_write_reply(line, &r);
	CHECK(!strcmp(line, "vde-refused 1 no?way?[2J\n"));
	line[strlen(line) - 1] = '\0';
	CHECK(enrol_parse_reply(&r2, line) && r2.refused);
}

static void what_is_no_line_of_these_is_refused(void)
{
	static const char *const bad[] = {
		"",
		"vde-enrolled",
		"vde-enrolled 1 ",
		"vde-enrolled 1 " K1,
		"vde-enrolled 1 " K1 " 7667",
		"vde-enrolled 1 " K1 " 7667 ",
		"vde-enrolled 1 " K1 " 65536 a",
		"vde-enrolled 1 " K1 " -1 a",
		"vde-enrolled 1 " K1 " 07 a",
		"vde-enrolled 1 " K1 "  a",
		"vde-enrolled 1 " K1 " 7 a b",
		"vde-enrolled 1 " K1 " 7 ../a",
		"vde-enrolled 2 " K1 " 7 a",
		"vde-enrolled 1  " K1 " 7 a",
		"vde-enrolled 1 x" K1 " 7 a",
		"vde-refused 1 ",
		"vde-refused 1 a\x1b[2J",
		" vde-refused 1 a",
		"vde-enrolled 1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= "
		"7 a",
	};
	struct enrol_request q;
	struct enrol_reply r;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(!enrol_parse_reply(&r, bad[i]));
	CHECK(enrol_parse_reply(&r, "vde-enrolled 1 " K1 " 0 a"));
	CHECK(!enrol_parse_request(&q, "vde-enrol 1 " K1));
	CHECK(!enrol_parse_request(&q, "vde-enrol 1 " K1 " a b"));
	CHECK(!enrol_parse_request(&q, "vde-enrol 2 " K1 " a"));
}

static void a_reply_is_found_behind_other_lines(void)
{
	struct enrol_reply r;
	const char *s = "Welcome!\r\n\nvde-enrolled 1 " K1 " 7 a\r\nbye\n";
	size_t end = strlen(s) - 4;

	for (size_t n = 0; n < end; n++)
		CHECK(enrol_find_reply(&r, s, n) == ENROL_NOTHING);
	CHECK(enrol_find_reply(&r, s, end) == ENROL_REPLY && r.port == 7);
	CHECK(enrol_find_reply(&r, "vde-x\n", 6) == ENROL_GARBAGE);
	CHECK(enrol_find_reply(&r, "vde-\0\n", 6) == ENROL_GARBAGE);
}

/* ---- words ---- */

static bool words(const char *ssh, const char *target, const char *program,
		  const char *expect)
{
	char user[ADDRESS_USER_SIZE], all[3000] = "";
	struct address a;
	struct enrol_words w;
	struct strbuf b;

	if (!address_parse_target(&a, user, target, 7667, anew()) ||
	    enrol_words(&w, ssh, user, &a, program, anew()))
		return !expect;
	strbuf_init(&b, all, sizeof(all));
	for (char **s = w.argv; *s; s++)
		strbuf_fmt(&b, "[%s]", *s);
	if (!expect || strcmp(all, expect) != 0)
		printf("# %s\n", all);
	return expect && !strcmp(all, expect);
}

static void ssh_gets_words_and_no_shell_text(void)
{
	CHECK(words(NULL, "h", NULL, "[ssh][h][vde_cryptcab][enrol]"));
	CHECK(words(NULL, "me@[::1]:3", "/opt/x",
		    "[ssh][me@::1][/opt/x][enrol]"));
	CHECK(words("ssh -p 22 -i 'a b'", "h", NULL,
		    "[ssh][-p][22][-i][a b][h][vde_cryptcab][enrol]"));
	CHECK(words("ssh '", "h", NULL, NULL));
	CHECK(words(" ", "h", NULL, NULL));
	CHECK(words(NULL, "h", "a;b", NULL));
	CHECK(words(NULL, "h", "-x", NULL));
	CHECK(words(NULL, "h", "", NULL));
	CHECK(words("a a a a a a a a a a a a a a a a a a a a a a a a a a a a a "
		    "a a a a",
		    "h", NULL, NULL));
}

static void words_have_bounds(void)
{
	char big[2000];

	memset(big, 'x', sizeof(big));
	big[1999] = '\0';
	CHECK(words(big, "h", NULL, NULL));
	CHECK(words(NULL, "h", big, NULL));
}

/* ---- the server ---- */

static void enrolling_is_idempotent(void)
{
	uint8_t own[KEY64_BYTES] = { 9 };
	struct enrol_reply r;
	struct peersfile *f = NULL;

	for (int i = 0; i < 2; i++) {
		CHECK(!enrol_serve("vde-enrol 1 " K1 " me", peers, own, 5, &r,
				   anew()));
		CHECK(!r.refused && r.port == 5 && !strcmp(r.name, "me"));
		CHECK(r.key[0] == 9);
	}
	CHECK(!peersdisk_load(&f, peers, anew()) && f->n == 1);
	peersfile_free(f);
	CHECK(enrol_serve("junk", peers, own, 5, &r, anew()) == -EINVAL);
	CHECK(r.refused && strstr(r.reason, "no request"));
	own[0] = 1;
	CHECK(enrol_serve("vde-enrol 1 " K1 " me", peers, own, 5, &r, anew()) ==
	      -EINVAL);
	CHECK(r.refused);
	unlink(peers);
}

/* ---- the client ---- */

static int enrol(const char *ssh, unsigned int ms)
{
	struct address a;
	uint8_t pub[KEY64_BYTES] = { 1 };

	setenv("VDE_SSH", ssh, 1);
	CHECK(address_parse(&a, "h.example:7667", 0, anew()));
	return enrol_server("me", &a, pub, mine, ms, anew());
}

/* This program, run as `self enrol-here h vde_cryptcab enrol`. */
static void a_client_enrols_once(void)
{
	struct peersfile *there = NULL, *here = NULL;
	char ssh[300];

	(void)str_fmt(ssh, sizeof(ssh), "%s --as-ssh %s %s", self, key, peers);
	CHECK(enrol(ssh, 10000) == 1);
	if (reason[0])
		printf("# %s\n", reason);
	CHECK(!peersdisk_load(&there, peers, anew()) && there->n == 1);
	CHECK(!peersdisk_load(&here, mine, anew()) && here->n == 1);
	if (there && here) {
		CHECK(there->peers[0].key[0] == 1);
		CHECK(!strcmp(here->peers[0].name, "h.example"));
		CHECK(here->peers[0].n_addrs == 1 && !here->peers[0].psk);
	}
	peersfile_free(there);
	peersfile_free(here);
	/* Known: nothing is run. */
	CHECK(enrol("/nonexistent", 10000) == 0 && !reason[0]);
	unlink(mine);
	unlink(peers);
}

static void what_goes_wrong_is_told(void)
{
	CHECK(enrol("/nonexistent/ssh", 5000) == -ENOENT);
	CHECK(strstr(reason, "unable to run /nonexistent/ssh"));
	CHECK(enrol("sh -c 'exit 255'", 5000) == -EPROTO);
	CHECK(strstr(reason, "sh failed"));
	CHECK(enrol("sh -c 'exit 127'", 5000) == -EPROTO);
	CHECK(strstr(reason, "VDE_CRYPTCAB"));
	CHECK(enrol("sh -c 'kill -9 $$'", 5000) == -EPROTO);
	CHECK(strstr(reason, "signal 9"));
	CHECK(enrol("sh -c 'echo vde-refused 1 too late'", 5000) == -EACCES);
	CHECK(strstr(reason, "the other side says: too late"));
	CHECK(enrol("sh -c 'echo vde-enrolled 1 x'", 5000) == -EPROTO);
	CHECK(strstr(reason, "no sense"));
	CHECK(enrol("sh -c 'yes | head -c 100000; exec sleep 9'", 5000) ==
	      -EFBIG);
	/* Our own key back: somebody mirrors. */
	CHECK(enrol("sh -c 'echo vde-enrolled 1 " K1 " 0 a'", 5000) == -EPROTO);
	CHECK(access(mine, F_OK) != 0);
}

static void patience_has_an_end(void)
{
	time_t began = time(NULL);

	CHECK(enrol("sh -c 'exec sleep 60'", 100) == -ETIMEDOUT);
	CHECK(strstr(reason, "in time"));
	CHECK(time(NULL) - began < 10);
}

/* What sshd would run, after a greeting: argv is what ssh was given. */
static int as_ssh(char **argv)
{
	char cmd[] = "enrol", k[] = "--key", p[] = "--peers";
	char *args[] = { cmd, k, argv[2], p, argv[3], NULL };

	if (strcmp(argv[4], "me@h.example") != 0 ||
	    strcmp(argv[5], "vde_cryptcab") != 0 || strcmp(argv[6], "enrol"))
		return 3;
	puts("Last login: yesterday");
	return enrol_cmd(5, args);
}

int main(int argc, char **argv)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	log_open("vde_cryptcab", LOG_WARNING);
	if (argc == 7 && !strcmp(argv[1], "--as-ssh"))
		return as_ssh(argv);
	if (sodium_init() < 0 || !mkdtemp(dir) || n < 0)
		return 1;
	(void)str_fmt(peers, sizeof(peers), "%s/peers", dir);
	(void)str_fmt(mine, sizeof(mine), "%s/mine", dir);
	(void)str_fmt(key, sizeof(key), "%s/key", dir);
	unsetenv("VDE_CRYPTCAB");
	RUN(lines_arrive_as_they_were);
	RUN(what_is_no_line_of_these_is_refused);
	RUN(a_reply_is_found_behind_other_lines);
	RUN(ssh_gets_words_and_no_shell_text);
	RUN(words_have_bounds);
	RUN(enrolling_is_idempotent);
	RUN(a_client_enrols_once);
	RUN(what_goes_wrong_is_told);
	RUN(patience_has_an_end);
	unlink(key);
	rmdir(dir);
	DONE();
}
