/* SPDX-License-Identifier: MIT */
/*
 * dash_load: how fast pages are while people read them and results arrive.
 *
 *   dash_load URL TOKEN ADDRESSES SERVER_PID SECONDS [READERS [RESULTS_A_SECOND]]
 *
 * READERS (16) connections that stay open each ask for one page of ADDRESSES (dash_fill's) after the
 * other, the next one as soon as the last byte of the one before is there, as a browser asks for
 * them (Accept-Encoding). Meanwhile an agent with TOKEN claims tests and answers them, so that
 * RESULTS_A_SECOND (200) results arrive. /healthz is among the addresses: the bare answer.
 *
 * One line for each kind of page, tab-separated: kind, answers, p50, p95, p99 in ms, most bytes that
 * one took on the wire (headers too), most bytes of its document, most requests that a first visit
 * needs. Then "total" lines. Exit 0, 1 when an answer was not 200 or results did not arrive.
 */
#include <curl/curl.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "agent/api.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"
#include "tests/bench/dash_world.h"

#define READERS_MAX 64
#define KINDS_MAX 64
#define WARM_ROUNDS 2 /* of all addresses before anything is measured */

struct kind {
	char *name;
	int64_t *us; /* of each answer */
	int n, cap;
	int64_t wire, document; /* most bytes */
	int requests;
};

struct address {
	char *url;
	struct kind *kind;
};

struct reader {
	CURL *curl;
	struct address *at;
	int64_t body; /* bytes so far */
	bool count; /* what the page needs besides, of its text */
	struct buf text;
};

static struct kind kinds[KINDS_MAX];
static int n_kinds;
static struct address *addresses;
static int n_addresses, cap_addresses;
static bool bad;

/* --- addresses --------------------------------------------------------------------------------- */

static struct kind *kind_of(const char *name)
{
	for (int i = 0; i < n_kinds; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	if (n_kinds == KINDS_MAX)
		abort();
	kinds[n_kinds].name = xstrdup(name);
	return &kinds[n_kinds++];
}

static void address_add(const char *base, const char *kind, const char *path)
{
	ARRAY_RESERVE(addresses, n_addresses, cap_addresses);
	addresses[n_addresses++] =
		(struct address){ .url = xasprintf("%s%s", base, path), .kind = kind_of(kind) };
}

static void read_addresses(const char *base, const char *file)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct error err = ERROR_INIT;
	char *save = NULL;

	if (path_read(file, 1 << 20, &text, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
	address_add(base, "/healthz", "/healthz");
	buf_cstr(&text);
	for (char *line = strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *tab = strchr(line, '\t');

		if (!tab)
			continue;
		*tab = '\0';
		address_add(base, line, tab + 1);
	}
}

/* --- one answer --------------------------------------------------------------------------------- */

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
	struct reader *r = arg;

	r->body += (int64_t)(size * n);
	if (r->count)
		buf_add(&r->text, data, size * n);
	return size * n;
}

static int occurrences(const char *text, const char *what)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}

/* A script that runs before the page is painted, or stands in it, is not wanted. */
static void check_text(const struct reader *r)
{
	const char *text = r->text.len ? r->text.data : "";
	int scripts = occurrences(text, "<script");

	if (scripts != occurrences(text, " defer></script>")) {
		fprintf(stderr, "%s: a script holds up the page\n", r->at->url);
		bad = true;
	}
}

static void ask(struct reader *r, CURLM *multi, struct address *a, bool count)
{
	r->at = a;
	r->body = 0;
	r->count = count;
	buf_reset(&r->text);
	curl_easy_setopt(r->curl, CURLOPT_URL, a->url);
	/* Decoded when the text is looked at, else left alone: that is not the server's time. */
	curl_easy_setopt(r->curl, CURLOPT_HTTP_CONTENT_DECODING, count ? 1L : 0L);
	curl_easy_setopt(r->curl, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_multi_add_handle(multi, r->curl);
}

static void answered(struct reader *r, CURLcode code, bool measured)
{
	struct kind *k = r->at->kind;
	curl_off_t us = 0, body = 0;
	long status = 0, head = 0;

	curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(r->curl, CURLINFO_TOTAL_TIME_T, &us);
	curl_easy_getinfo(r->curl, CURLINFO_SIZE_DOWNLOAD_T, &body);
	curl_easy_getinfo(r->curl, CURLINFO_HEADER_SIZE, &head);
	if (code != CURLE_OK || status != 200) {
		fprintf(stderr, "%s: %ld %s\n", r->at->url, status, curl_easy_strerror(code));
		bad = true;
		return;
	}
	if (r->count) {
		const char *text = r->text.len ? buf_cstr(&r->text) : "";
		int needs = 1 + occurrences(text, "<link rel=\"stylesheet\"") +
			    occurrences(text, "<link rel=\"icon\"") +
			    occurrences(text, "<script src=") + occurrences(text, "<img ");

		check_text(r);
		k->document = r->body > k->document ? r->body : k->document;
		k->requests = needs > k->requests ? needs : k->requests;
		return;
	}
	k->wire = body + head > k->wire ? body + head : k->wire;
	if (!measured)
		return;
	ARRAY_RESERVE(k->us, k->n, k->cap);
	k->us[k->n++] = us;
}

/* --- readers ------------------------------------------------------------------------------------ */

static int64_t asked;

/* Every address as often as every other, in an order that has no rhythm. NULL: no more. */
static struct address *next_address(int64_t until_us, int rounds)
{
	static int *order;
	int64_t at = asked % n_addresses;

	if (rounds ? asked >= (int64_t)rounds * n_addresses : clock_mono_us() >= until_us)
		return NULL;
	if (!order) {
		order = xcalloc((size_t)n_addresses, sizeof(*order));
		for (int i = 0; i < n_addresses; i++)
			order[i] = i;
	}
	if (at == 0) {
		for (int i = n_addresses - 1; i > 0; i--) {
			int k = (int)world_pick((uint32_t)i + 1, 200, (uint32_t)asked, (uint32_t)i);
			int swap = order[i];

			order[i] = order[k];
			order[k] = swap;
		}
	}
	asked++;
	return &addresses[order[at]];
}

enum phase { PHASE_LOOK, PHASE_WARM, PHASE_MEASURE };

static void read_pages(struct reader *readers, int n, enum phase phase, int64_t until_us)
{
	int rounds = phase == PHASE_LOOK ? 1 : phase == PHASE_WARM ? WARM_ROUNDS : 0;
	CURLM *multi = curl_multi_init();
	int busy = 0, left, running;
	CURLMsg *m;

	asked = 0;
	for (int i = 0; i < n; i++) {
		struct address *a = next_address(until_us, rounds);

		if (!a)
			break;
		ask(&readers[i], multi, a, phase == PHASE_LOOK);
		busy++;
	}
	while (busy) {
		curl_multi_perform(multi, &running);
		while ((m = curl_multi_info_read(multi, &left))) {
			struct reader *r;
			struct address *a;

			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&r);
			answered(r, m->data.result, phase == PHASE_MEASURE);
			curl_multi_remove_handle(multi, r->curl);
			busy--;
			a = next_address(until_us, rounds);
			if (!a)
				continue;
			ask(r, multi, a, phase == PHASE_LOOK);
			busy++;
		}
		if (busy)
			curl_multi_poll(multi, NULL, 0, 100, NULL);
	}
	curl_multi_cleanup(multi);
}

/* --- the agent ----------------------------------------------------------------------------------- */

static struct {
	const char *url, *token;
	double rate; /* results a second */
	atomic_bool stop;
	atomic_llong sent; /* results */
	atomic_int jobs;
} agent;

static bool answer_one(struct api_conn *conn, struct error *err)
{
	const struct api_identity who = {
		.name = "bench", .version = "1", .slots = 4, .can_test = true
	};
	enum api_lease lease = API_LEASE_OK;
	enum api_claim got = API_NO_JOB;
	struct result_doc doc;
	struct json_object *o;
	struct job job = { 0 };
	int r = api_claim(conn, &who, 1, &got, &job, err);

	if (r < 0 || got != API_JOB)
		return false;
	job.attempt = 2; /* no machine is lost here */
	if (!world_test(&job, &doc))
		return false;
	o = json_object_new_object();
	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "kind", json_str("test"));
	json_object_object_add(o, "document", result_doc_to_json(&doc));
	r = api_result(conn, &job, o, &lease, err);
	if (!r && lease == API_LEASE_OK) {
		atomic_fetch_add(&agent.sent, (long long)doc.n_results);
		atomic_fetch_add(&agent.jobs, 1);
	}
	json_object_put(o);
	result_doc_free(&doc);
	job_free(&job);
	return r == 0;
}

static void *work(void *arg)
{
	struct error err = ERROR_INIT;
	struct api_conn conn;
	int64_t start;

	(void)arg;
	if (api_open(agent.url, agent.token, NULL, NULL, &conn, &err) < 0) {
		fprintf(stderr, "agent: %s\n", err.msg);
		return NULL;
	}
	start = clock_mono_us();
	while (!atomic_load(&agent.stop)) {
		double due = (double)(clock_mono_us() - start) / 1e6 * agent.rate;

		if ((double)atomic_load(&agent.sent) > due) {
			usleep(10000);
			continue;
		}
		if (!answer_one(&conn, &err)) {
			fprintf(stderr, "agent: no test, or no answer taken: %s\n", err.msg);
			break;
		}
	}
	api_close(&conn);
	return NULL;
}

/* --- figures --------------------------------------------------------------------------------------- */

static double server_cpu_s(const char *pid)
{
	CLEANUP(free_p) char *path = xasprintf("/proc/%s/stat", pid);
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	unsigned long user = 0, system = 0;
	struct error err = ERROR_INIT;
	const char *end;

	if (path_read(path, 4096, &text, &err) < 0)
		return NAN;
	end = strrchr(buf_cstr(&text), ')');
	if (!end || sscanf(end, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			   &system) != 2)
		return NAN;
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double own_cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double percentile(const struct kind *k, int percent)
{
	int i = (k->n * percent + 99) / 100 - 1;

	return k->n ? (double)k->us[i < 0 ? 0 : i] / 1000 : NAN;
}

static void print_kinds(void)
{
	for (int i = 0; i < n_kinds; i++) {
		struct kind *k = &kinds[i];

		qsort(k->us, (size_t)k->n, sizeof(*k->us), by_value);
		printf("%s\t%d\t%.1f\t%.1f\t%.1f\t%lld\t%lld\t%d\n", k->name, k->n,
		       percentile(k, 50), percentile(k, 95), percentile(k, 99), (long long)k->wire,
		       (long long)k->document, k->requests);
	}
}

static void measure(struct reader *readers, int n, const char *pid, double seconds)
{
	pthread_t thread;
	double server, own, spent;
	int64_t start;
	long long answers = 0;

	read_pages(readers, n, PHASE_LOOK, 0);
	if (pthread_create(&thread, NULL, work, NULL))
		abort();
	read_pages(readers, n, PHASE_WARM, 0);
	server = server_cpu_s(pid);
	own = own_cpu_s();
	start = clock_mono_us();
	atomic_store(&agent.sent, 0);
	read_pages(readers, n, PHASE_MEASURE, start + (int64_t)(seconds * 1e6));
	spent = (double)(clock_mono_us() - start) / 1e6;
	server = server_cpu_s(pid) - server;
	own = own_cpu_s() - own;
	atomic_store(&agent.stop, true);
	pthread_join(thread, NULL);
	print_kinds();
	for (int i = 0; i < n_kinds; i++)
		answers += kinds[i].n;
	printf("total answers\t%lld\t%.0f /s\n", answers, (double)answers / spent);
	printf("total results\t%lld\t%.0f /s\n", (long long)atomic_load(&agent.sent),
	       (double)atomic_load(&agent.sent) / spent);
	printf("total server CPU\t%.2f ms an answer\t%.0f %% of one\n",
	       1000 * server / (double)answers, 100 * server / spent);
	printf("total reader CPU\t%.2f ms an answer\t%.0f %% of one\n",
	       1000 * own / (double)answers, 100 * own / spent);
	if ((double)atomic_load(&agent.sent) < 0.9 * agent.rate * spent - 200)
		bad = true;
}

int main(int argc, char **argv)
{
	int n = argc > 6 ? atoi(argv[6]) : 16;
	static struct reader readers[READERS_MAX];

	if (argc < 6 || n < 1 || n > READERS_MAX || atof(argv[5]) <= 0) {
		fprintf(stderr, "usage: dash_load URL TOKEN ADDRESSES SERVER_PID SECONDS [READERS "
				"[RESULTS_A_SECOND]]\n");
		return 64;
	}
	agent.url = argv[1];
	agent.token = argv[2];
	agent.rate = argc > 7 ? atof(argv[7]) : 200;
	curl_global_init(CURL_GLOBAL_ALL);
	world_init(1);
	read_addresses(argv[1], argv[3]);
	for (int i = 0; i < n; i++) {
		readers[i].curl = curl_easy_init();
		curl_easy_setopt(readers[i].curl, CURLOPT_WRITEFUNCTION, on_data);
		curl_easy_setopt(readers[i].curl, CURLOPT_WRITEDATA, &readers[i]);
		curl_easy_setopt(readers[i].curl, CURLOPT_PRIVATE, &readers[i]);
		curl_easy_setopt(readers[i].curl, CURLOPT_PROXY, "");
		curl_easy_setopt(readers[i].curl, CURLOPT_TCP_NODELAY, 1L);
	}
	measure(readers, n, argv[4], atof(argv[5]));
	return bad;
}
