// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vde_cryptcab - an encrypted cable between switches, over UDP
 *
 * Without -c it serves any number of clients; with it, it is one. Whatever may
 * fail does so before the program says that it is ready: keys and peers are
 * read, the port is bound, a client has its end at the switch; then privileges
 * go.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/daemon.h"
#include "cryptcab/client.h"
#include "cryptcab/cmd.h"
#include "cryptcab/contact.h"
#include "cryptcab/cryptcab.h"
#include "cryptcab/doorman.h"
#include "cryptcab/enrol.h"
#include "cryptcab/invite.h"
#include "cryptcab/join.h"
#include "cryptcab/keyfile.h"
#include "cryptcab/keymem.h"
#include "cryptcab/options.h"
#include "cryptcab/privfile.h"
#include "cryptcab/privileges.h"
#include "cryptcab/server.h"
#include "cryptcab/trust.h"
#include "cryptcab/udp.h"

#define DESCR "vde_cryptcab"
#define REASON 512

struct program {
	struct cryptcab cab;
	struct options o;
	struct daemon daemon;
	struct pidfile pidfile;
	char sock[PATH_MAX], peers[PATH_MAX], key[PATH_MAX];
	char switch_mgmt[PATH_MAX];
};

/* ---- subcommands ---- */

struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
};

static const struct subcommand subcommands[] = {
	{ "genkey", keyfile_cmd_genkey },
	{ "pubkey", keyfile_cmd_pubkey },
	{ "psk", keyfile_cmd_psk },
	{ "invite", invite_cmd },
	{ "join", join_cmd },
	{ "enrol", enrol_cmd },
};

static void run_subcommand(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(subcommands); i++)
		if (!strcmp(argv[1], subcommands[i].name))
			exit(subcommands[i].run(argc - 1, argv + 1));
}

/* ---- keys and peers ---- */

static int default_path(char *path, const char *given, const char *name)
{
	char text[REASON];
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	if (given) {
		rc = path_absolute(path, given);
		if (rc)
			log_err("unable to use %s: %s", given, strerror(-rc));
		return rc;
	}
	rc = privfile_default(path, PATH_MAX, name, &why);
	if (rc)
		log_err("%s", text);
	return rc;
}

static void say_key(const char *path, const uint8_t *key)
{
	uint8_t pub[KEY64_BYTES];
	char b64[KEY64_SIZE];

	(void)crypto_scalarmult_base(pub, key);
	log_notice("made a private key, %s; its public key is %s", path,
		   key64_write(b64, pub));
}

/* Both sides have nothing but the file of -P, as with VDE 2. */
static bool is_open_to_all(const struct program *p)
{
	const struct options *o = &p->o;

	return o->preshared && !o->key && !o->connect.n;
}

static int read_key(struct program *p, uint8_t *key, struct strbuf *why)
{
	uint8_t *psk;
	int rc;

	if (!is_open_to_all(p))
		return keyfile_read_or_make(key, p->key, why);
	psk = keymem_alloc(KEY64_BYTES);
	if (!psk)
		return -ENOMEM;
	rc = keyfile_read_psk(psk, p->o.preshared, why);
	if (!rc)
		keyfile_psk_server(key, psk);
	keymem_free(psk);
	return rc;
}

static int open_engine(struct program *p)
{
	uint8_t *key = keymem_alloc(KEY64_BYTES);
	char text[REASON];
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	if (!key)
		rc = -ENOMEM;
	else
		rc = read_key(p, key, &why);
	if (rc < 0)
		log_err("%s", key ? text : strerror(ENOMEM));
	if (rc > 0)
		say_key(p->key, key);
	if (rc >= 0) {
		rc = cab_open(&p->cab, key);
		if (rc)
			log_err("unable to set up the cable: %s",
				strerror(-rc));
	}
	keymem_free(key);
	return rc;
}

static int open_peers(struct program *p)
{
	return trust_open(&p->cab.trust, &p->cab, p->peers, p->o.preshared);
}

/* ---- ends ---- */

static int keep(const struct program *p, int *fd)
{
	if (!p->daemon.background)
		return 0;
	*fd = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
	return *fd < 0 ? -errno : 0;
}

static int open_streams(struct program *p, struct end **out)
{
	struct stream_fds fds = { STDIN_FILENO, STDOUT_FILENO, "standard input",
				  "standard output", 0 };
	int rc = keep(p, &fds.in);

	if (!rc)
		rc = keep(p, &fds.out);
	if (!rc)
		rc = end_stream_open(out, p->cab.loop, &fds);
	if (rc)
		log_err("unable to use standard input and output: %s",
			strerror(-rc));
	return rc;
}

static int open_switch(struct program *p, struct end **out)
{
	const struct vde_args *net = &p->cab.net;
	VDECONN *conn;
	int rc = redial_open(net, &conn);

	if (!rc) {
		rc = end_vde_open(out, p->cab.loop, net->locator, conn, net);
		if (rc)
			vde_close(conn);
	}
	if (rc)
		log_err("unable to open %s: %s", net->locator, strerror(-rc));
	return rc;
}

/* The connection is kept: it is made before privileges go. */
static int open_switch_mgmt(struct program *p)
{
	const char *path = p->o.switch_mgmt;
	int rc;

	if (!path)
		return 0;
	rc = path_absolute(p->switch_mgmt, path);
	if (!rc)
		rc = server_set_vlans(p->cab.server, p->switch_mgmt);
	if (rc)
		log_err("unable to talk to the switch at %s: %s", path,
			strerror(-rc));
	return rc;
}

static int open_server(struct program *p)
{
	struct end *end = NULL;
	int rc = p->o.streams ? open_streams(p, &end) : 0;

	if (rc)
		return rc;
	rc = server_new(&p->cab.server, &p->cab, end);
	if (!rc)
		rc = doorman_new(
			&p->cab.doorman, &p->cab, trust_path(p->cab.trust),
			is_open_to_all(p) ? trust_psk(p->cab.trust) : NULL);
	if (rc)
		log_err("unable to set up the server: %s", strerror(-rc));
	return rc ? rc : open_switch_mgmt(p);
}

static int open_client(struct program *p)
{
	struct client_server servers[CLIENT_SERVERS];
	int n = trust_servers(p->cab.trust, &p->o.connect, servers,
			      CLIENT_SERVERS);
	struct end *end;
	int rc;

	if (n < 0)
		return n;
	rc = p->o.streams ? open_streams(p, &end) : open_switch(p, &end);
	if (rc)
		return rc;
	rc = client_new(&p->cab.client, &p->cab, servers, n);
	if (!rc)
		rc = client_start(p->cab.client, end);
	if (rc)
		log_err("unable to set up the client: %s", strerror(-rc));
	return rc;
}

/* In the background the directory is another one; a locator is not a path. */
static int set_net(struct program *p)
{
	const char *sock = p->o.sock;
	int rc = 0;

	if (!strstr(sock, "://") && *sock)
		rc = path_absolute(p->sock, sock);
	if (rc) {
		log_err("unable to use %s: %s", sock, strerror(-rc));
		return rc;
	}
	p->cab.net = (struct vde_args){
		.locator = strstr(sock, "://") || !*sock ? sock : p->sock,
		.descr = DESCR,
		.plain = p->o.plain,
		.reconnect = true,
	};
	p->cab.streams = p->o.streams;
	p->cab.is_client = p->o.connect.n;
	p->cab.pad = (uint32_t)p->o.pad;
	return 0;
}

static int open_udp(struct program *p)
{
	int rc = udp_open(&p->cab.udp, p->cab.loop, (uint16_t)p->o.port,
			  &cab_udp_ops, &p->cab);

	if (rc)
		log_err("unable to bind UDP port %u: %s",
			(unsigned int)p->o.port, strerror(-rc));
	return rc;
}

static int open_console(struct program *p)
{
	const struct options *o = &p->o;
	int rc = cmd_start(&p->cab);

	if (rc)
		log_err("unable to set up the console: %s", strerror(-rc));
	if (!rc && o->rcfile)
		rc = cmd_load_rc(&p->cab, o->rcfile);
	if (!rc && o->mgmt)
		rc = cmd_listen(&p->cab, o->mgmt, o->mgmt_mode);
	return rc;
}

/* ---- begin and end ---- */

static void stop(void *ctx, int signo)
{
	struct program *p = ctx;
	char text[REASON];
	struct strbuf why;

	strbuf_init(&why, text, sizeof(text));
	if (signo != SIGHUP)
		cab_stop(&p->cab, EXIT_SUCCESS);
	else if (p->cab.trust && trust_reload(p->cab.trust, &why))
		log_err("%s; peers stay as they were", text);
}

static int set_signals(struct program *p)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	return loop_signals(p->cab.loop, &set, stop, p);
}

static int begin(struct program *p)
{
	int rc = daemon_fork(&p->daemon, p->o.background, (int)p->o.ready_fd);

	if (rc) {
		log_err("unable to go to the background: %s", strerror(-rc));
		return rc;
	}
	p->cab.loop = loop_new();
	rc = p->cab.loop ? set_signals(p) : -ENOMEM;
	if (rc)
		log_err("unable to set up the event loop: %s", strerror(-rc));
	return rc;
}

static int get_ready(struct program *p)
{
	int rc = 0;

	if (p->o.pidfile)
		rc = pidfile_write(&p->pidfile, p->o.pidfile);
	if (rc) {
		log_err("unable to write pidfile %s: %s", p->o.pidfile,
			strerror(-rc));
		return rc;
	}
	if (privileges_drop(p->o.user))
		return -EPERM;
	if (!keymem_is_locked())
		log_info("unable to keep all keys out of swap: %s",
			 "RLIMIT_MEMLOCK is too low");
	log_never_wait();
	rc = daemon_ready(&p->daemon);
	if (rc)
		log_err("unable to go to the background: %s", strerror(-rc));
	return rc;
}

/* Before it goes to the background: ssh may ask for a password. */
static int find_files(struct program *p)
{
	int rc = default_path(p->key, p->o.key, "cryptcab.key");

	if (!rc)
		rc = default_path(p->peers, p->o.peers, "cryptcab.peers");
	if (!rc && !p->o.preshared)
		rc = contact_missing(&p->o.connect, p->key, p->peers);
	return rc;
}

static int run(struct program *p)
{
	int rc;

	if (find_files(p) || begin(p) || set_net(p) || open_engine(p) ||
	    open_peers(p) || open_udp(p))
		return EXIT_FAILURE;
	if (p->o.connect.n ? open_client(p) : open_server(p))
		return EXIT_FAILURE;
	if (open_console(p) || get_ready(p))
		return EXIT_FAILURE;
	rc = p->cab.stopped ? 0 : loop_run(p->cab.loop);
	if (rc) {
		log_err("unable to wait for events: %s", strerror(-rc));
		cab_stop(&p->cab, EXIT_FAILURE);
	}
	return p->cab.status;
}

static void clean_up(struct program *p)
{
	struct cryptcab *cab = &p->cab;

	cmd_stop(cab);
	server_leave(cab->server);
	client_free(cab->client);
	cab->client = NULL;
	cab_close(cab);
	doorman_free(cab->doorman);
	trust_close(cab->trust);
	server_free(cab->server);
	udp_close(cab->udp);
	pidfile_remove(&p->pidfile);
	loop_free(cab->loop);
}

int main(int argc, char **argv)
{
	static struct program p;
	int status;

	log_open(argv[0], LOG_NOTICE);
	if (std_fds_open())
		return EXIT_FAILURE;
	privileges_guard();
	if (sodium_init() < 0)
		die("unable to set up libsodium");
	run_subcommand(argc, argv);
	options_parse(&p.o, argc, argv);
	if (p.o.verbose)
		log_set_level(p.o.verbose > 1 ? LOG_DEBUG : LOG_INFO);
	status = run(&p);
	clean_up(&p);
	return status;
}
