// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/filter.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_PCAP

#include <dlfcn.h>
#include <pcap/pcap.h>

#define SNAPLEN 262144
#define OPTIMIZE_MAX 1000 /* instructions */
#define BESIDE_PACKET 0xfffff000 /* SKF_AD_OFF */

/* What is used of libpcap. Its declarations are those of the header, so that
 * the compiler knows if one of them is called otherwise. */
struct library {
	void *handle;
	__typeof__(pcap_open_dead) *open_dead;
	__typeof__(pcap_close) *close;
	__typeof__(pcap_compile) *compile;
	__typeof__(pcap_freecode) *freecode;
	__typeof__(pcap_geterr) *geterr;
	__typeof__(pcap_offline_filter) *matches;
};

struct filter {
	struct library lib;
	struct bpf_program program;
};

/* As others call it, and as Debian does: the last one is complained about. */
static const char *const names[] = { "libpcap.so.1", "libpcap.so.0.8" };

/* @fn is a pointer to a function, which C does not let dlsym() return. */
static bool find(const struct library *lib, const char *name, void *fn,
		 struct strbuf *why)
{
	void *at = dlsym(lib->handle, name);

	if (!at) {
		strbuf_fmt(why, "libpcap has no %s", name);
		return false;
	}
	memcpy(fn, &at, sizeof(at));
	return true;
}

/* It stays loaded: the libraries that it brings along were not made to be
 * taken away. */
static bool load(struct library *lib, struct strbuf *why)
{
	static_assert(sizeof(void *) == sizeof(void (*)(void)),
		      "a function's address is one of data");

	for (size_t i = 0; !lib->handle && i < ARRAY_SIZE(names); i++)
		lib->handle = dlopen(names[i],
				     RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!lib->handle) {
		strbuf_fmt(why, "a filter needs libpcap: %s", dlerror());
		return false;
	}
	return find(lib, "pcap_open_dead", &lib->open_dead, why) &&
	       find(lib, "pcap_close", &lib->close, why) &&
	       find(lib, "pcap_compile", &lib->compile, why) &&
	       find(lib, "pcap_freecode", &lib->freecode, why) &&
	       find(lib, "pcap_geterr", &lib->geterr, why) &&
	       find(lib, "pcap_offline_filter", &lib->matches, why);
}

/* The C library's own way; one that has none looks names up as it likes. */
static void only_files(const char *database)
{
	int (*configure)(const char *, const char *);
	void *at = dlsym(RTLD_DEFAULT, "__nss_configure_lookup");

	if (!at)
		return;
	memcpy(&configure, &at, sizeof(at));
	configure(database, "files");
}

static bool try(struct filter *f, pcap_t *p, const char *text, bool optimize)
{
	if (f->program.bf_insns)
		f->lib.freecode(&f->program);
	f->program = (struct bpf_program){ 0 };
	return f->lib.compile(p, &f->program, text, optimize,
			      PCAP_NETMASK_UNKNOWN) == 0;
}

/* Does it look at what Linux keeps beside a packet? Here is nothing, which
 * libpcap takes for a packet that is too short, even behind "not". */
static bool asks_linux(const struct filter *f)
{
	for (u_int i = 0; i < f->program.bf_len; i++) {
		const struct bpf_insn *in = &f->program.bf_insns[i];

		if (BPF_CLASS(in->code) == BPF_LD &&
		    BPF_MODE(in->code) == BPF_ABS && in->k >= BESIDE_PACKET)
			return true;
	}
	return false;
}

/* The optimizer takes seconds for what somebody made up to that end, and a
 * few ms for a program that is not too long; it may also find that nothing
 * passes, which libpcap calls an error. */
static bool compile(struct filter *f, const char *text, struct strbuf *why)
{
	pcap_t *p = f->lib.open_dead(DLT_EN10MB, SNAPLEN);
	bool good;

	if (!p) {
		strbuf_add(why, "no memory");
		return false;
	}
	only_files("hosts");
	only_files("networks");
	good = try(f, p, text, false) &&
	       (f->program.bf_len > OPTIMIZE_MAX || try(f, p, text, true));
	if (!good) {
		strbuf_add(why, f->lib.geterr(p));
	} else if (asks_linux(f)) {
		strbuf_add(why, "inbound, outbound and ifindex are for Linux's "
				"own interfaces");
		good = false;
	}
	f->lib.close(p);
	return good;
}

struct filter *filter_new(const char *text, struct strbuf *why)
{
	struct filter *f;

	if (strlen(text) > FILTER_TEXT_MAX) {
		strbuf_fmt(why, "a filter has %d characters at most",
			   FILTER_TEXT_MAX);
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	if (!f) {
		strbuf_add(why, "no memory");
		return NULL;
	}
	if (load(&f->lib, why) && compile(f, text, why))
		return f;
	filter_free(f);
	return NULL;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	if (f->program.bf_insns)
		f->lib.freecode(&f->program);
	if (f->lib.handle)
		dlclose(f->lib.handle);
	free(f);
}

bool filter_matches(const struct filter *f, const uint8_t *bytes,
		    size_t captured, size_t len)
{
	const struct pcap_pkthdr hdr = { .caplen = (bpf_u_int32)captured,
					 .len = (bpf_u_int32)len };

	return f->lib.matches(&f->program, &hdr, bytes) != 0;
}

#else

struct filter *filter_new(const char *text, struct strbuf *why)
{
	strbuf_add(why, "a filter needs libpcap, and this was built without");
	return NULL;
}

void filter_free(struct filter *f)
{
}

bool filter_matches(const struct filter *f, const uint8_t *bytes,
		    size_t captured, size_t len)
{
	return true;
}

#endif
