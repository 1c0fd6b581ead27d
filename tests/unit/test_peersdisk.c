// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Peers files on the disk: who may have written them, and changes that keep
 * every other byte and every other writer's peer.
 */
#include "cryptcab/peersdisk.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define K1 "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define K2 "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define A "peer a\n\tkey " K1 "\n"
#define B "peer b\n\tkey " K2 "\n"

static char dir[] = "/tmp/vde-peers.XXXXXX";
static char path[64], reason[600], text[4096];
static struct strbuf why;

static struct strbuf *anew(void)
{
	strbuf_init(&why, reason, sizeof(reason));
	return &why;
}

static void put(const char *s, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, s, strlen(s)) == (ssize_t)strlen(s));
	CHECK(!fchmod(fd, mode));
	close(fd);
}

static const char *get(void)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static struct peersfile_peer peer(const char *name, uint8_t first)
{
	struct peersfile_peer p = { .key = { first },
				    .rules = { .untagged = VLAN_NONE } };

	(void)str_copy(p.name, sizeof(p.name), name);
	return p;
}

static int load(void)
{
	struct peersfile *f;
	int rc = peersdisk_load(&f, path, anew());

	CHECK(!rc == !reason[0] && !rc == (f != NULL));
	peersfile_free(f);
	return rc;
}

static void who_may_change_it_matters(void)
{
	unlink(path);
	CHECK(load() == -ENOENT);
	put(A, 0644);
	CHECK(load() == 0);
	put(A, 0664);
	CHECK(load() == -EPERM && strstr(reason, "chmod go-w"));
	put(A, 0602);
	CHECK(load() == -EPERM);
	put("junk\n", 0600);
	CHECK(load() == -EINVAL);
	CHECK(strstr(reason, path) && strstr(reason, "line 1"));
}

static void with_secrets_in_it_nobody_else_reads_it(void)
{
	put(A "psk " K2 "\n", 0644);
	CHECK(load() == -EPERM && strstr(reason, "chmod 600"));
	put(A "psk " K2 "\n", 0600);
	CHECK(load() == 0);
}

static void keys_in_files_are_loaded(void)
{
	char psk[80];
	struct peersfile *f;
	int fd;

	(void)str_fmt(psk, sizeof(psk), "%s/my.psk", dir);
	fd = open(psk, O_WRONLY | O_CREAT, 0600);
	CHECK(write(fd, K2 "\n", 45) == 45);
	put(A "pskfile my.psk\n", 0644);
	CHECK(!peersdisk_load(&f, path, anew()));
	CHECK(f && f->peers[0].psk[0] == 2);
	peersfile_free(f);
	CHECK(!fchmod(fd, 0644));
	CHECK(load() == -EPERM && strstr(reason, "my.psk"));
	close(fd);
	unlink(psk);
	/* Not as if there were no peers file. */
	CHECK(load() == -EINVAL && strstr(reason, "my.psk"));
}

static void adding_keeps_every_byte(void)
{
	struct peersfile_peer p = peer("b", 2);
	struct stat st;

	put("# mine \n\n" A "# last", 0640);
	CHECK(!peersdisk_add(path, &p, anew()));
	CHECK(!strcmp(get(), "# mine \n\n" A "# last\n\n" B));
	CHECK(!stat(path, &st) && (st.st_mode & 07777) == 0640);
	CHECK(peersdisk_add(path, &p, anew()) == -EEXIST);
	CHECK(strstr(reason, "key"));
	p.key[0] = 3;
	CHECK(peersdisk_add(path, &p, anew()) == -EEXIST);
	CHECK(strstr(reason, "name"));
	p = peer("b c", 3);
	CHECK(peersdisk_add(path, &p, anew()) == -EINVAL);
	unlink(path);
	p = peer("b", 2);
	CHECK(!peersdisk_add(path, &p, anew()) && !strcmp(get(), B));
}

static void removing_keeps_the_comments_of_others(void)
{
	put("# one\n" A "\n# two\n" B "# end\n", 0600);
	CHECK(peersdisk_del(path, "c", anew()) == -ENOENT);
	CHECK(!peersdisk_del(path, "a", anew()));
	CHECK(!strcmp(get(), "# one\n# two\n" B "# end\n"));
	CHECK(!peersdisk_del(path, "b", anew()));
	CHECK(!strcmp(get(), "# one\n# two\n# end\n"));
	put(A "vlan 3", 0600);
	CHECK(!peersdisk_del(path, "a", anew()) && !*get());
}

static void a_file_with_mistakes_is_left_alone(void)
{
	struct peersfile_peer p = peer("b", 2);

	put(A "vlan x\n", 0600);
	CHECK(peersdisk_add(path, &p, anew()) == -EINVAL);
	CHECK(strstr(reason, "line 3") && !strcmp(get(), A "vlan x\n"));
	put(A, 0666);
	CHECK(peersdisk_add(path, &p, anew()) == -EPERM);
	CHECK(!strcmp(get(), A));
	/* A secret does not go where all can read it. */
	put(A, 0644);
	p.psk = p.key;
	CHECK(peersdisk_add(path, &p, anew()) == -EPERM);
	CHECK(!strcmp(get(), A));
}

static int enrol(struct peersfile_peer *p)
{
	struct peersdisk d;
	int rc;

	CHECK(!peersdisk_begin(&d, path, 0, anew()));
	rc = peersdisk_enrol(&d, p, anew());
	if (rc < 0)
		peersdisk_abort(&d);
	else
		CHECK(!peersdisk_commit(&d, anew()));
	return rc;
}

static void enrolling_twice_is_once(void)
{
	struct peersfile_peer p = peer("a", 1);

	unlink(path);
	CHECK(enrol(&p) == 0);
	p = peer("other", 1);
	CHECK(enrol(&p) == 1 && !strcmp(p.name, "a"));
	CHECK(!strcmp(get(), A));
	/* Another one of that name gets a number. */
	p = peer("a", 2);
	CHECK(enrol(&p) == 0 && !strcmp(p.name, "a-2"));
	p = peer("a", 3);
	CHECK(enrol(&p) == 0 && !strcmp(p.name, "a-3"));
	p = peer("", 4);
	CHECK(enrol(&p) == -EINVAL);
	memset(p.name, 'x', 63);
	p.name[63] = '\0';
	CHECK(enrol(&p) == 0 && strlen(p.name) == 63);
	p.key[0]++;
	CHECK(enrol(&p) == 0 && strlen(p.name) == 60);
	CHECK(load() == 0);
}

static void a_server_known_before_keeps_name_and_rules(void)
{
	struct address addr = { ADDRESS_NAME, 7, "new" };
	struct peersfile_peer p = peer("x", 1);
	uint8_t psk[KEY64_BYTES] = { 2 };

	unlink(path);
	CHECK(!peersdisk_renew(path, &p, anew()) && !strcmp(p.name, "x"));
	put("# 1\n" A "\taddress old:1 # why\n\tvlan 7\n# 2\n" B, 0600);
	p = peer("other", 1);
	CHECK(!peersdisk_renew(path, &p, anew()) && !strcmp(p.name, "a"));
	CHECK(!strcmp(get(), "# 1\n" A "\taddress old:1\n\tvlan 7\n# 2\n" B));
	p.psk = psk;
	p.addrs = &addr;
	p.n_addrs = 1;
	CHECK(!peersdisk_renew(path, &p, anew()));
	CHECK(!strcmp(get(), "# 1\n" A "\tpsk " K2 "\n\taddress new:7\n"
			     "\tvlan 7\n# 2\n" B));
}

static void writers_at_the_same_time_lose_nobody(void)
{
	struct peersfile *f;
	pid_t pids[8];
	int status;

	unlink(path);
	fflush(stdout);
	for (int i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		for (int j = 0; j < 5; j++) {
			struct peersfile_peer p = peer("n", 1);

			p.key[1] = (uint8_t)i;
			p.key[2] = (uint8_t)j;
			(void)str_fmt(p.name, sizeof(p.name), "n%d.%d", i, j);
			if (peersdisk_add(path, &p, anew()))
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < 8; i++)
		CHECK(waitpid(pids[i], &status, 0) == pids[i] && !status);
	CHECK(!peersdisk_load(&f, path, anew()) && f->n == 40);
	peersfile_free(f);
}

int main(void)
{
	if (sodium_init() < 0 || !mkdtemp(dir))
		return 1;
	(void)str_fmt(path, sizeof(path), "%s/peers", dir);
	RUN(who_may_change_it_matters);
	RUN(with_secrets_in_it_nobody_else_reads_it);
	RUN(keys_in_files_are_loaded);
	RUN(adding_keeps_every_byte);
	RUN(removing_keeps_the_comments_of_others);
	RUN(a_file_with_mistakes_is_left_alone);
	RUN(enrolling_twice_is_once);
	RUN(a_server_known_before_keeps_name_and_rules);
	RUN(writers_at_the_same_time_lose_nobody);
	unlink(path);
	rmdir(dir);
	DONE();
}
