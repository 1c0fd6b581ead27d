// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys as text and in files: what is taken, what is refused and how it is
 * said, and that nothing is left half written.
 */
#include "cryptcab/keyfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "cryptcab/noise.h"
#include "cryptcab/privfile.h"
#include "test.h"

static char dir[] = "/tmp/vde-keys.XXXXXX";
static char path[64], reason[400];
static uint8_t key[KEY64_BYTES], key2[KEY64_BYTES];
static struct strbuf why;

static struct strbuf *anew(void)
{
	strbuf_init(&why, reason, sizeof(reason));
	return &why;
}

static const char *in_dir(const char *name)
{
	(void)str_fmt(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* A file at in_dir("f"). */
static void put(const void *p, size_t len, mode_t mode)
{
	int fd;

	unlink(in_dir("f"));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0 && write(fd, p, len) == (ssize_t)len);
	CHECK(!fchmod(fd, mode));
	close(fd);
}

static int read_key(void)
{
	return keyfile_read(key, in_dir("f"), anew());
}

static unsigned int count_files(void)
{
	DIR *d = opendir(dir);
	unsigned int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n - 2;
}

static void empty_dir(void)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

#define GOOD "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="

static void a_key_has_one_text(void)
{
	char text[KEY64_SIZE];
	int n = 0;

	for (int i = 0; i < KEY64_BYTES; i++)
		key[i] = (uint8_t)(i + 1);
	CHECK(!strcmp(key64_write(text, key), GOOD));
	CHECK(key64_read(key2, text, KEY64_LEN) && !memcmp(key, key2, 32));
	/* The last character with a bit that is no part of the key. */
	text[42] = 'B';
	CHECK(!key64_read(key2, text, KEY64_LEN));
	CHECK(sodium_is_zero(key2, sizeof(key2)));
	text[42] = 'A';
	for (int c = 0; c < 256; c++) {
		text[9] = (char)c;
		if (!key64_read(key2, text, KEY64_LEN))
			continue;
		/* Those of base64, and each is another key. */
		n++;
		CHECK(c < 128 && (c == GOOD[9]) == !memcmp(key, key2, 32));
	}
	CHECK(n == 64);
	CHECK(!key64_read(key2, GOOD, KEY64_LEN - 1));
	CHECK(!key64_read(key2, GOOD "=", KEY64_LEN + 1));
}

static void a_file_is_a_key_and_nothing_else(void)
{
	static const char *const bad[] = {
		"",
		"\n",
		GOOD " ",
		" " GOOD,
		GOOD "\n\n",
		GOOD "\r\n",
		GOOD GOOD,
		"AQID",
		GOOD "\n#",
		"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHy==",
		"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHy-=",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	};

	put(GOOD "\n", KEY64_SIZE, 0600);
	CHECK(!read_key() && key[0] == 1 && key[31] == 32);
	put(GOOD, KEY64_LEN, 0400);
	CHECK(!read_key());
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put(bad[i], strlen(bad[i]), 0600);
		CHECK(read_key() == -EINVAL);
		CHECK(strstr(reason, path) && strstr(reason, "no key"));
		/* It may be a key with a typing error. */
		CHECK(!strstr(reason, "AQID"));
	}
	put(GOOD "\0", KEY64_SIZE, 0600);
	CHECK(read_key() == -EINVAL);
}

static void others_have_no_rights_to_it(void)
{
	static const mode_t bad[] = { 0640, 0604, 0620, 0602, 0644, 0677 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char mode[8], cure[80];

		put(GOOD, KEY64_LEN, bad[i]);
		CHECK(read_key() == -EPERM);
		CHECK(sodium_is_zero(key, sizeof(key)));
		(void)str_fmt(mode, sizeof(mode), "%04o", bad[i]);
		(void)str_fmt(cure, sizeof(cure), "chmod 600 %s", path);
		CHECK(strstr(reason, mode) && strstr(reason, cure));
	}
}

static void it_is_a_file_of_ours(void)
{
	CHECK(keyfile_read(key, in_dir("none"), anew()) == -ENOENT);
	CHECK(strstr(reason, path) && strstr(reason, "No such file"));
	CHECK(keyfile_read(key, dir, anew()) == -EINVAL);
	CHECK(keyfile_read(key, "/dev/zero", anew()) == -EINVAL);
	CHECK(!mkfifo(in_dir("fifo"), 0600));
	CHECK(keyfile_read(key, path, anew()) == -EINVAL);
	if (geteuid() == 0) {
		put(GOOD, KEY64_LEN, 0600);
		CHECK(!chown(path, 12345, 12345));
		CHECK(read_key() == -EPERM);
		CHECK(strstr(reason, "user 12345"));
	}
	empty_dir();
}

static void a_new_file_replaces_none(void)
{
	struct stat st;

	umask(0);
	keyfile_generate(key);
	CHECK(!keyfile_write(key, in_dir("new"), anew()));
	CHECK(!stat(path, &st) && (st.st_mode & 07777) == 0600);
	CHECK(st.st_nlink == 1 && st.st_size == KEY64_SIZE);
	CHECK(!keyfile_read(key2, path, anew()) && !memcmp(key, key2, 32));
	CHECK(keyfile_write(key2, path, anew()) == -EEXIST);
	CHECK(strstr(reason, path) && strstr(reason, "exists"));
	CHECK(!symlink("nowhere", in_dir("link")));
	CHECK(keyfile_write(key, path, anew()) == -EEXIST);
	CHECK(count_files() == 2);
	empty_dir();
}

static void the_first_use_makes_one(void)
{
	char sub[80];
	struct stat st;

	(void)str_fmt(sub, sizeof(sub), "%s/a/b/key", dir);
	CHECK(keyfile_read_or_make(key, sub, anew()) == 1 && !reason[0]);
	CHECK(keyfile_read_or_make(key2, sub, anew()) == 0 && !reason[0]);
	CHECK(!memcmp(key, key2, 32));
	unlink(sub);
	*strrchr(sub, '/') = '\0';
	CHECK(!stat(sub, &st) && (st.st_mode & 07777) == 0700);
	rmdir(sub);
	*strrchr(sub, '/') = '\0';
	rmdir(sub);
	put("garbage", 7, 0600);
	CHECK(keyfile_read_or_make(key, in_dir("f"), anew()) == -EINVAL);
	empty_dir();
}

static void a_pre_shared_key_may_be_any_file(void)
{
	static const uint8_t known[4] = { 0x12, 0xba, 0xe0, 0x26 };
	char junk[44];

	put(GOOD "\n", KEY64_SIZE, 0600);
	CHECK(!keyfile_read_psk(key, path, anew()) && key[31] == 32);
	/* As VDE 2 makes them: key and IV. */
	memset(junk, 7, sizeof(junk));
	put(junk, 44, 0600);
	CHECK(!keyfile_read_psk(key, path, anew()));
	put(junk, 24, 0600);
	CHECK(!keyfile_read_psk(key2, path, anew()));
	CHECK(memcmp(key, key2, 32) != 0);
	/* Computed by another implementation of BLAKE2b. */
	CHECK(!memcmp(key2, known, sizeof(known)));
	put(junk, 23, 0600);
	CHECK(keyfile_read_psk(key, path, anew()) == -EINVAL);
	CHECK(strstr(reason, "24"));
	put(junk, 44, 0640);
	CHECK(keyfile_read_psk(key, path, anew()) == -EPERM);
	unlink(path);
}

static void a_big_file_is_no_key(void)
{
	put("", 0, 0600);
	CHECK(!truncate(path, KEYFILE_PSK_MAX));
	CHECK(!keyfile_read_psk(key, path, anew()));
	CHECK(!truncate(path, KEYFILE_PSK_MAX + 1));
	CHECK(keyfile_read_psk(key, path, anew()) == -EFBIG);
	unlink(path);
}

static void a_shared_file_names_one_server(void)
{
	uint8_t a[KEY64_BYTES], b[KEY64_BYTES], pub[KEY64_BYTES];

	memset(key, 1, sizeof(key));
	keyfile_psk_server(a, key);
	keyfile_psk_server(b, key);
	CHECK(!memcmp(a, b, 32) && memcmp(a, key, 32) != 0);
	CHECK(noise_public(pub, a));
	key[0]++;
	keyfile_psk_server(b, key);
	CHECK(memcmp(a, b, 32) != 0);
}

/* ---- changing files ---- */

static void a_file_is_replaced_whole(void)
{
	struct privlock l;
	struct privtext t;
	struct stat st;

	put("old", 3, 0640);
	CHECK(!privfile_lock(&l, path, 0, anew()));
	CHECK(!privfile_replace(&l, "newer", 5, anew()));
	CHECK(!stat(path, &st) && (st.st_mode & 07777) == 0640);
	CHECK(!privfile_read(&t, path, PRIVFILE_PUBLIC, 5, anew()));
	CHECK(!strcmp(t.s, "newer") && t.exposed);
	privtext_free(&t);
	CHECK(privfile_read(&t, path, PRIVFILE_PUBLIC, 4, anew()) == -EFBIG);
	CHECK(count_files() == 1);
	/* A symbolic link stays one. */
	CHECK(!symlink("f", in_dir("link")));
	CHECK(!privfile_lock(&l, path, 0, anew()));
	CHECK(!privfile_replace(&l, "x", 1, anew()));
	CHECK(!lstat(path, &st) && S_ISLNK(st.st_mode));
	CHECK(!stat(path, &st) && st.st_size == 1);
	empty_dir();
}

static void two_writers_take_turns(void)
{
	struct privlock l, m;
	int status;
	pid_t pid;

	CHECK(!privfile_lock(&l, in_dir("f"), 0, anew()));
	CHECK(privfile_lock(&m, path, 30, anew()) == -EAGAIN);
	CHECK(strstr(reason, "in use"));
	pid = fork();
	if (pid == 0) {
		struct privtext t;
		bool ok;

		close(l.fd); /* which would hold the lock for both */
		/* What it locked at first is replaced meanwhile. */
		ok = !privfile_lock(&m, path, 5000, anew()) &&
		     !privfile_read(&t, path, PRIVFILE_SECRET, 9, anew()) &&
		     !strcmp(t.s, "one") &&
		     !privfile_replace(&m, "two", 3, anew());
		_exit(!ok);
	}
	usleep(50000);
	CHECK(!privfile_replace(&l, "one", 3, anew()));
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(count_files() == 1);
	empty_dir();
}

/* ---- subcommands ---- */

/* Runs it with @in as stdin; its output is in @out. The exit status. */
static int run(int (*cmd)(int, char **), char *file, const char *in, char *out,
	       size_t size)
{
	char name[] = "cmd", *argv[] = { name, file, NULL };
	int to[2], from[2], status = -1;
	ssize_t n;
	pid_t pid;

	if (pipe(to) || pipe(from))
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		close(to[1]);
		close(2);
		_exit(cmd(file ? 2 : 1, argv));
	}
	close(to[0]);
	close(from[1]);
	CHECK(write(to[1], in, strlen(in)) == (ssize_t)strlen(in));
	close(to[1]);
	n = read(from[0], out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	close(from[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void subcommands_print_what_files_hold(void)
{
	char priv[100], pub[100], pub2[100], none[100], name[64];

	CHECK(run(keyfile_cmd_genkey, NULL, "", priv, 100) == 0);
	CHECK(strlen(priv) == KEY64_SIZE);
	CHECK(run(keyfile_cmd_pubkey, NULL, priv, pub, 100) == 0);
	CHECK(strlen(pub) == KEY64_SIZE && strcmp(pub, priv) != 0);
	put(priv, KEY64_SIZE, 0600);
	(void)str_copy(name, sizeof(name), path);
	CHECK(run(keyfile_cmd_pubkey, name, "", pub2, 100) == 0);
	CHECK(!strcmp(pub, pub2));
	CHECK(run(keyfile_cmd_genkey, name, "", none, 100) == 1 && !*none);
	unlink(name);
	CHECK(run(keyfile_cmd_psk, name, "", none, 100) == 0 && !*none);
	CHECK(!keyfile_read_psk(key, name, anew()));
	CHECK(run(keyfile_cmd_pubkey, NULL, "junk", none, 100) == 1 && !*none);
	CHECK(run(keyfile_cmd_pubkey, NULL, "", none, 100) == 1 && !*none);
	empty_dir();
}

static void a_known_key_has_the_known_public_one(void)
{
	char out[100];

	/* RFC 7748, 6.1: Alice. */
	CHECK(run(keyfile_cmd_pubkey, NULL,
		  "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n", out,
		  100) == 0);
	CHECK(!strcmp(out, "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n"));
}

int main(void)
{
	if (sodium_init() < 0 || !mkdtemp(dir))
		return 1;
	log_open("vde_cryptcab", LOG_INFO);
	RUN(a_key_has_one_text);
	RUN(a_file_is_a_key_and_nothing_else);
	RUN(others_have_no_rights_to_it);
	RUN(it_is_a_file_of_ours);
	RUN(a_new_file_replaces_none);
	RUN(the_first_use_makes_one);
	RUN(a_pre_shared_key_may_be_any_file);
	RUN(a_big_file_is_no_key);
	RUN(a_shared_file_names_one_server);
	RUN(a_file_is_replaced_whole);
	RUN(two_writers_take_turns);
	RUN(subcommands_print_what_files_hold);
	RUN(a_known_key_has_the_known_public_one);
	rmdir(dir);
	DONE();
}
