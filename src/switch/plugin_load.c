// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From what plugin/add was given to a plugin: where to look, whether the file
 * can be mapped at all, and whether what it exports is ours. Opening a shared
 * object runs its constructors, and mapping one that is cut short kills the
 * program when it touches what is missing: so the file is looked at before.
 *
 * The order is VDE 2's: LIB, LIB.so, then both in $HOME/.vde2/plugins, then in
 * the directory of the system. A name without a slash is for the dynamic
 * linker to find (LD_LIBRARY_PATH); with root's rights it is not asked, and
 * a HOME that is somebody else's is left out.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "switch/plugin_impl.h"

#define MAX_HEADERS 128 /* of segments */
#define SEARCHED 65536 /* bytes of a file at a time */
#define VDE2_SYMBOL "vde_plugin_data"
#define OUR_SYMBOL "vde_plugin"

/* ---- the file, before anything of it runs ---- */

static bool read_at(int fd, void *p, size_t n, off_t at)
{
	return pread(fd, p, n, at) == (ssize_t)n;
}

static bool is_shared_object(const ElfW(Ehdr) * h)
{
	const uint8_t class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;

	return !memcmp(h->e_ident, ELFMAG, SELFMAG) &&
	       h->e_ident[EI_CLASS] == class && h->e_type == ET_DYN &&
	       h->e_phentsize == sizeof(ElfW(Phdr)) && h->e_phnum &&
	       h->e_phnum <= MAX_HEADERS;
}

/* NULL if the file is whole, else what is wrong with it. */
static const char *check_segments(int fd, uint64_t size)
{
	ElfW(Ehdr) h;
	ElfW(Phdr) ph;

	if (size < sizeof(h) || !read_at(fd, &h, sizeof(h), 0) ||
	    !is_shared_object(&h))
		return "not a shared object of this machine";
	for (unsigned int i = 0; i < h.e_phnum; i++) {
		uint64_t at;

		if (__builtin_add_overflow(h.e_phoff, i * sizeof(ph), &at) ||
		    at > size || size - at < sizeof(ph) ||
		    !read_at(fd, &ph, sizeof(ph), (off_t)at))
			return "the file is truncated";
		if (ph.p_offset > size || ph.p_filesz > size - ph.p_offset)
			return "the file is truncated";
	}
	return NULL;
}

static const char *check_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	return check_segments(fd, (uint64_t)st.st_size);
}

/* Does the text @word, with its end, occur in the file? */
static bool contains(int fd, const char *word)
{
	size_t len = strlen(word) + 1, kept = 0;
	char *buf = malloc(SEARCHED);
	bool found = false;
	off_t at = 0;

	while (buf && !found) {
		ssize_t n = pread(fd, buf + kept, SEARCHED - kept, at);

		if (n <= 0)
			break;
		at += n;
		kept += (size_t)n;
		found = memmem(buf, kept, word, len) != NULL;
		if (kept >= len) {
			memmove(buf, buf + kept - (len - 1), len - 1);
			kept = len - 1;
		}
	}
	free(buf);
	return found;
}

static int open_file(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static bool is_vde2(const char *path)
{
	int fd = open_file(path);
	bool yes = fd >= 0 && contains(fd, VDE2_SYMBOL);

	if (fd >= 0)
		close(fd);
	return yes;
}

/* ---- what it exports ---- */

static bool is_name(const char *s)
{
	size_t len = strlen(s);

	return len && len <= PLUGIN_NAME_MAX &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len;
}

/* The symbol is data and long enough to be what it should. */
static bool is_data(const void *at)
{
	const ElfW(Sym) * sym;
	void *extra = NULL;
	Dl_info info;

	if (!dladdr1(at, &info, &extra, RTLD_DL_SYMENT) || !extra)
		return false;
	sym = extra;
	return ELF64_ST_TYPE(sym->st_info) == STT_OBJECT &&
	       sym->st_size >= sizeof(struct vde_plugin);
}

static bool check_plugin(const struct vde_plugin *d, const char *path,
			 struct strbuf *why)
{
	if (!is_data(d))
		strbuf_fmt(why,
			   "%s: its symbol " OUR_SYMBOL
			   " is no struct vde_plugin",
			   path);
	else if (d->api != VDE_PLUGIN_API)
		strbuf_fmt(why,
			   "%s: it is for plugin API %u, this switch has "
			   "%u",
			   path, d->api, VDE_PLUGIN_API);
	else if (d->size < sizeof(*d) || !d->name || !d->help || !d->init)
		strbuf_fmt(why, "%s: its struct vde_plugin is incomplete",
			   path);
	else if (!is_name(d->name))
		strbuf_fmt(why, "%s: its name is none", path);
	else
		return true;
	return false;
}

static void add_vde2(const char *path, struct strbuf *why)
{
	if (is_vde2(path))
		strbuf_add(why, " (it is a plugin of VDE 2, this switch has "
				"another interface for plugins)");
}

/* 0, or -EINVAL for what is no plugin, which is closed then. */
static int take_symbol(struct plugin_file *f, struct strbuf *why)
{
	f->desc = dlsym(f->handle, OUR_SYMBOL);
	if (f->desc && check_plugin(f->desc, f->path, why))
		return 0;
	if (!f->desc) {
		strbuf_fmt(why,
			   "%s: not a plugin, it has no symbol " OUR_SYMBOL,
			   f->path);
		add_vde2(f->path, why);
	}
	dlclose(f->handle);
	return -EINVAL;
}

/* ---- one place to look ---- */

static void separate(struct strbuf *why)
{
	if (why->len)
		strbuf_add(why, "; ");
}

/* dlerror() begins with the path, as a rule. */
static void add_dlerror(const char *path, struct strbuf *why)
{
	const char *text = dlerror();

	if (!text)
		text = "unable to load it";
	separate(why);
	if (strncmp(text, path, strlen(path)))
		strbuf_fmt(why, "%s: ", path);
	strbuf_add(why, text);
	add_vde2(path, why);
}

/* 0, -EINVAL, or -ENOENT: look on. A file that is not there is no reason. */
static int try_path(struct plugin_file *f, struct strbuf *why)
{
	int fd = open_file(f->path);
	const char *wrong;

	if (fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return -ENOENT;
		separate(why);
		strbuf_fmt(why, "%s: %s", f->path, strerror(errno));
		return -ENOENT;
	}
	wrong = check_file(fd);
	close(fd);
	if (wrong) {
		separate(why);
		strbuf_fmt(why, "%s: %s", f->path, wrong);
		return -ENOENT;
	}
	f->handle = dlopen(f->path, RTLD_NOW | RTLD_LOCAL);
	if (f->handle)
		return take_symbol(f, why);
	add_dlerror(f->path, why);
	return -ENOENT;
}

/* The same for a name that the dynamic linker looks for. */
static int try_linker(struct plugin_file *f, const char *name,
		      struct strbuf *why)
{
	struct link_map *map;
	const char *text;

	f->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!f->handle) {
		text = dlerror();
		if (text && !strstr(text, strerror(ENOENT))) {
			separate(why);
			strbuf_add(why, text);
		}
		return -ENOENT;
	}
	if (dlinfo(f->handle, RTLD_DI_LINKMAP, &map) ||
	    str_copy(f->path, sizeof(f->path), map->l_name) <= 0)
		str_copy(f->path, sizeof(f->path), name);
	return take_symbol(f, why);
}

/* ---- all of them ---- */

/* VDE 2's directory of a user. For root only if the HOME it was given is its
 * own: sudo may leave that of whoever called it. */
static bool home_dir(char *out, size_t size)
{
	const char *home = secure_getenv("HOME");
	struct stat st;

	if (!home || *home != '/' || stat(home, &st) ||
	    (geteuid() == 0 && (st.st_uid != 0 || (st.st_mode & 0022))))
		return false;
	return str_fmt(out, size, "%s/.vde2/plugins/", home) > 0;
}

/* @dir is empty or ends in a slash. */
static int try_both(struct plugin_file *f, const char *dir, const char *lib,
		    struct strbuf *why)
{
	static const char *const suffixes[] = { "", ".so" };
	bool ask_linker = !*dir && !strchr(lib, '/');
	int rc = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes) && rc == -ENOENT; i++) {
		if (str_fmt(f->path, sizeof(f->path), "%s%s%s", dir, lib,
			    suffixes[i]) < 0)
			return -ENOENT;
		rc = ask_linker ? try_linker(f, f->path, why)
				: try_path(f, why);
	}
	return rc;
}

/* More than those of whoever set the environment. */
static bool has_rights(void)
{
	return geteuid() == 0 || getauxval(AT_SECURE);
}

int plugin_open(struct plugin_file *f, const char *lib, struct strbuf *why)
{
	char home[PATH_MAX] = "";
	int rc = -ENOENT;

	if (strchr(lib, '/') || !has_rights())
		rc = try_both(f, "", lib, why);
	if (*lib == '/')
		goto out;
	if (rc == -ENOENT && home_dir(home, sizeof(home)))
		rc = try_both(f, home, lib, why);
	if (rc == -ENOENT)
		rc = try_both(f, VDE_PLUGINDIR "/", lib, why);
out:
	if (rc == -ENOENT && !why->len)
		strbuf_fmt(why, "%s: no such file%s%s%s%s", lib,
			   *lib == '/' ? "" : ", nor in ",
			   *lib == '/' ? "" : home,
			   *lib == '/' || !*home ? "" : " or ",
			   *lib == '/' ? "" : VDE_PLUGINDIR);
	return rc;
}
