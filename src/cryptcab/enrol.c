// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/enrol.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "cryptcab/keyfile.h"
#include "cryptcab/keymem.h"
#include "cryptcab/peersdisk.h"

#define REASON 512
#define ANSWER_MAX 16384 /* of ssh: banners, and one line */
#define WORDS_MAX 32
#define REMOTE_SIZE 256

static int public_key(uint8_t *pub, const char *path, struct strbuf *why)
{
	uint8_t *key = keymem_alloc(KEY64_BYTES);
	int rc;

	if (!key)
		return -ENOMEM;
	rc = keyfile_read_or_make(key, path, why);
	if (rc >= 0)
		rc = crypto_scalarmult_base(pub, key) ? -EINVAL : 0;
	keymem_free(key);
	return rc;
}

/* ---- the client ---- */

static void own_name(char name[static PEERSFILE_NAME_SIZE])
{
	const struct passwd *pw = getpwuid(getuid());
	char host[64] = "", text[160];

	if (gethostname(host, sizeof(host) - 1))
		host[0] = '\0';
	(void)str_fmt(text, sizeof(text), "%.64s@%s", pw ? pw->pw_name : "",
		      *host ? host : "client");
	peersfile_make_name(name, text);
}

static int split(char *text, char **words, int max)
{
	char *save, *w = strtok_r(text, " ", &save);
	int n = 0;

	for (; w && n < max; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	return n;
}

_Noreturn static void run_ssh(int out, char *target, char *remote)
{
	const char *given = getenv("CRYPTCAB_SSH");
	char *command = strdup(given && *given ? given : "ssh");
	char *argv[WORDS_MAX + 4];
	int n = command ? split(command, argv, WORDS_MAX) : 0;
	int null = open("/dev/null", O_RDONLY);

	argv[n++] = target;
	argv[n++] = remote;
	argv[n] = NULL;
	/* Standard input may be frames; passwords come from the terminal. */
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0)
		_exit(126);
	execvp(argv[0], argv);
	log_err("unable to run %s: %s", argv[0], strerror(errno));
	_exit(127);
}

static size_t read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;

	for (;;) {
		char lost[512];
		bool room = len + 1 < size;
		ssize_t n = read(fd, room ? buf + len : lost,
				 room ? size - 1 - len : sizeof(lost));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += room ? (size_t)n : 0;
	}
	buf[len] = '\0';
	return len;
}

/* The key in what the other side printed. */
static bool find_key(uint8_t *key, const char *answer)
{
	const char *at = strstr(answer, ENROL_MARK);

	if (!at || (at > answer && at[-1] != '\n'))
		return false;
	at += sizeof(ENROL_MARK) - 1;
	return key64_read(key, at, strcspn(at, "\r\n"));
}

static int ask(uint8_t *key, char *target, char *remote, struct strbuf *why)
{
	char answer[ANSWER_MAX];
	int fds[2], status = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC)) {
		strbuf_add(why, strerror(errno));
		return -errno;
	}
	pid = fork();
	if (!pid)
		run_ssh(fds[1], target, remote);
	close(fds[1]);
	if (pid > 0)
		(void)read_all(fds[0], answer, sizeof(answer));
	close(fds[0]);
	if (pid < 0) {
		strbuf_add(why, strerror(EAGAIN));
		return -EAGAIN;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		strbuf_fmt(why, "ssh ended with status %d",
			   WIFEXITED(status) ? WEXITSTATUS(status)
					     : 128 + WTERMSIG(status));
		return -ECONNREFUSED;
	}
	if (find_key(key, answer))
		return 0;
	strbuf_add(why, "it printed no key");
	return -EPROTO;
}

static int enrol(const char *target, const struct address *a, const char *user,
		 const char *key_path, const char *peers_path,
		 struct strbuf *why)
{
	char name[PEERSFILE_NAME_SIZE], b64[KEY64_SIZE], remote[REMOTE_SIZE];
	char ssh_target[ADDRESS_USER_SIZE + ADDRESS_HOST_SIZE];
	struct address addr = *a;
	struct peersfile_peer p = { .addrs = &addr,
				    .n_addrs = 1,
				    .rules = { .untagged = VLAN_NONE } };
	uint8_t pub[KEY64_BYTES];
	int rc = public_key(pub, key_path, why);

	if (rc)
		return rc;
	own_name(name);
	(void)str_fmt(remote, sizeof(remote), "vde_cryptcab enrol %s %s",
		      key64_write(b64, pub), name);
	(void)str_fmt(ssh_target, sizeof(ssh_target), "%s%s%s", user,
		      *user ? "@" : "", a->host);
	log_notice("asking %s by ssh for its key", ssh_target);
	rc = ask(p.key, ssh_target, remote, why);
	if (rc)
		return rc;
	peersfile_make_name(p.name, a->host);
	rc = peersdisk_renew(peers_path, &p, why);
	if (!rc)
		log_notice("%s is peer %s of %s now", target, p.name,
			   peers_path);
	return rc < 0 ? rc : 0;
}

int enrol_missing(const struct cli_list *connect, const char *key_path,
		  const char *peers_path)
{
	char text[REASON] = "", user[ADDRESS_USER_SIZE];
	struct peersfile *f = NULL;
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	rc = peersdisk_load(&f, peers_path, &why);
	if (rc && rc != -ENOENT) {
		log_err("%s", text);
		return rc;
	}
	rc = 0;
	for (size_t i = 0; i < connect->n && !rc; i++) {
		const char *what = connect->given[i].arg;
		struct address a;

		strbuf_init(&why, text, sizeof(text));
		if (f && peersfile_find_name(f, what))
			continue;
		if (!address_parse_target(&a, user, what, ADDRESS_PORT, &why))
			rc = -EINVAL;
		else if (!f || !peersfile_find_address(f, &a))
			rc = enrol(what, &a, user, key_path, peers_path, &why);
		if (rc)
			log_err("unable to enrol at %s: %s", what,
				*text ? text : strerror(-rc));
	}
	peersfile_free(f);
	return rc;
}

/* ---- the server's side ---- */

struct enrol_options {
	const char *key, *peers;
};

#define OPT(member) .offset = offsetof(struct enrol_options, member)

static const struct cli_option rows[] = {
	{ 0, "key", CLI_STR, "FILE", "private key of the server", OPT(key) },
	{ 0, "peers", CLI_STR, "FILE", "peers file of the server", OPT(peers) },
};

static const struct cli enrol_cli = {
	.synopsis = "enrol [OPTION]... KEY [NAME]",
	.about = "Add a client's public key to the peers file and print the "
		 "server's; ssh runs this.",
	.options = rows,
	.n_options = ARRAY_SIZE(rows),
};

static int add_client(const char *path, struct peersfile_peer *p,
		      struct strbuf *why)
{
	struct peersdisk d;
	int rc = peersdisk_begin(&d, path, PEERSDISK_WAIT_MS, why);

	if (rc)
		return rc;
	rc = peersdisk_enrol(&d, p, why);
	if (rc == 0)
		return peersdisk_commit(&d, why);
	peersdisk_abort(&d);
	return rc < 0 ? rc : 0;
}

static int serve(const struct enrol_options *o, struct peersfile_peer *p,
		 struct strbuf *why)
{
	char key[PATH_MAX], peers[PATH_MAX], b64[KEY64_SIZE];
	uint8_t pub[KEY64_BYTES];
	int rc = 0;

	if (!o->key)
		rc = privfile_default(key, PATH_MAX, "cryptcab.key", why);
	if (!rc && !o->peers)
		rc = privfile_default(peers, PATH_MAX, "cryptcab.peers", why);
	if (!rc)
		rc = public_key(pub, o->key ? o->key : key, why);
	if (!rc)
		rc = add_client(o->peers ? o->peers : peers, p, why);
	if (rc)
		return rc;
	if (printf(ENROL_MARK "%s\n", key64_write(b64, pub)) < 0 ||
	    fflush(stdout)) {
		strbuf_fmt(why, "unable to write the key: %s", strerror(errno));
		return -EIO;
	}
	return 0;
}

int enrol_cmd(int argc, char **argv)
{
	struct enrol_options o = { 0 };
	struct peersfile_peer p = { .rules = { .untagged = VLAN_NONE } };
	char text[REASON] = "";
	struct strbuf why;
	int i = cli_parse(&enrol_cli, argc, argv, &o);

	strbuf_init(&why, text, sizeof(text));
	if (argc - i < 1 || argc - i > 2)
		cli_usage("enrol needs the public KEY of the client, and maybe "
			  "a NAME");
	if (!key64_read(p.key, argv[i], strlen(argv[i])))
		cli_usage("invalid key '%s'", argv[i]);
	peersfile_make_name(p.name, argc - i > 1 ? argv[i + 1] : "client");
	if (!serve(&o, &p, &why))
		return EXIT_SUCCESS;
	log_err("%s", *text ? text : "unable to enrol the client");
	return EXIT_FAILURE;
}
