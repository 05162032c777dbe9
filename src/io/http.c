#include "io/http.h"

#include "base/error.h"
#include <string.h>

#ifdef CAIRN_WITH_CURL

#include <curl/curl.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MOST ((int64_t)16 << 30) /* bytes: a server that never ends is stopped here */

struct transfer {
    const struct cairn_http_request *request;
    struct cairn_http_result *result;
    CURL *curl;
    int fd;
    int64_t at;          /* bytes in the partial file */
    int64_t range_start; /* of the Content-Range of the present response; -1: there is none */
    int64_t range_total;
    int begun;          /* 1: the response has been judged and its body belongs at `at` */
    int failed;         /* errno of a local failure, else 0 */
    double told, heard; /* when progress was told; when the last byte came */
    int stalled;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The headers of each response, of which a redirection has several. */
static size_t take_header(char *data, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    char line[256];
    t->heard = now();
    snprintf(line, sizeof line, "%.*s", (int)(size * count < 255 ? size * count : 255), data);
    if (!strncmp(line, "HTTP/", 5)) t->range_start = -1, t->range_total = 0;
    if (curl_strnequal(line, "Content-Range:", 14)) {
        int64_t start, end, total = 0;
        if (sscanf(line + 14, " bytes %" SCNd64 "-%" SCNd64 "/%" SCNd64, &start, &end, &total) >=
            2) {
            t->range_start = start;
            t->range_total = total;
        }
    }
    return size * count;
}

/* Where the body belongs: behind what is there, or at the start where the server ignores ranges.
 * Returns 0 where it is neither. */
static int begin(struct transfer *t)
{
    long code = 0;
    curl_off_t length = -1;
    if (t->begun) return 1;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (code == 206) {
        if (t->range_start != t->at) return t->result->foreign = 1, 0;
        t->result->total = t->range_total > 0 ? t->range_total : 0;
    } else {
        if (ftruncate(t->fd, 0) != 0) return t->failed = errno, 0;
        t->at = 0;
        t->result->total = length > 0 ? length : 0;
    }
    t->result->resumed = t->at;
    t->begun = 1;
    return 1;
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    size_t want = size * count, done = 0;
    t->heard = now();
    if (!begin(t)) return 0;
    if (t->at + (int64_t)want > MOST) return t->failed = EFBIG, 0;
    while (done < want) {
        ssize_t n = pwrite(t->fd, data + done, want - done, (off_t)t->at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return t->failed = n ? errno : EIO, 0;
        done += (size_t)n;
        t->at += n;
        t->result->bytes += n;
    }
    return want;
}

static int stopped(const struct transfer *t)
{
    return t->request->stop && *t->request->stop;
}

static int watch(void *context, curl_off_t total, curl_off_t got, curl_off_t to_send,
                 curl_off_t sent)
{
    struct transfer *t = context;
    double clock = now();
    (void)total, (void)got, (void)to_send, (void)sent;
    if (t->request->progress && t->begun && clock - t->told >= 0.1) {
        t->told = clock;
        t->request->progress(t->request->context, t->at, t->result->total);
    }
    if (t->heard == 0) t->heard = clock;
    t->stalled = clock - t->heard > t->request->patience;
    return stopped(t) || t->stalled;
}

/* Opens the partial file, which no other process may be writing. */
static cairn_status open_part(struct transfer *t)
{
    const char *path = t->request->part;
    struct stat info;
    struct flock lock;
    memset(&lock, 0, sizeof lock);
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    t->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (t->fd < 0 || fstat(t->fd, &info) != 0)
        return cairn_fail_errno(CAIRN_IO, "cannot write %s", path);
    if (!S_ISREG(info.st_mode))
        return cairn_fail(CAIRN_IO, "cannot write %s: it is no plain file", path);
    if (fcntl(t->fd, F_SETLK, &lock) != 0 && (errno == EACCES || errno == EAGAIN))
        return cairn_fail(CAIRN_IO, "another process is fetching %s: let it end first", path);
    t->at = (int64_t)info.st_size;
    return CAIRN_OK;
}

static void set_up(struct transfer *t, const char *range, char *why)
{
    const struct cairn_http_request *r = t->request;
    CURL *c = t->curl;
    curl_easy_setopt(c, CURLOPT_URL, r->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, 10L);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "cairn/" CAIRN_VERSION);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)r->patience);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, watch);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
    if (t->at > 0) curl_easy_setopt(c, CURLOPT_RANGE, range);
}

static cairn_status judge(struct transfer *t, CURLcode code, const char *why)
{
    struct cairn_http_result *result = t->result;
    const char *url = t->request->url;
    long status = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK) begin(t); /* no body came */
    if (stopped(t)) return cairn_fail(CAIRN_INTERRUPTED, "interrupted");
    if (t->failed) {
        errno = t->failed;
        return cairn_fail_errno(CAIRN_IO, "cannot write %s", t->request->part);
    }
    if (code == CURLE_OUT_OF_MEMORY) return cairn_fail(CAIRN_MEMORY, "no memory to fetch %s", url);
    result->remote = 1;
    if (status == 416) result->foreign = 1; /* the partial file is as long as what is there */
    if (result->foreign)
        return cairn_fail(CAIRN_IO, "%s: what is there has another length than what was begun",
                          url);
    result->refused = (status >= 400 && status < 500) || code == CURLE_UNSUPPORTED_PROTOCOL ||
                      code == CURLE_URL_MALFORMAT || code == CURLE_TOO_MANY_REDIRECTS;
    if (code == CURLE_HTTP_RETURNED_ERROR)
        return cairn_fail(CAIRN_IO, "%s: HTTP status %ld%s", url, status,
                          status == 404 ? " (not found)" : "");
    if (code == CURLE_OPERATION_TIMEDOUT || t->stalled)
        return cairn_fail(CAIRN_IO, "%s: no byte came for %d s", url, t->request->patience);
    if (code == CURLE_OK && result->total > 0 && t->at != result->total) code = CURLE_PARTIAL_FILE;
    if (code == CURLE_PARTIAL_FILE)
        return cairn_fail(CAIRN_IO, "%s: broken off after %lld of %lld bytes", url,
                          (long long)t->at, (long long)result->total);
    if (code != CURLE_OK)
        return cairn_fail(CAIRN_IO, "%s: %s", url, *why ? why : curl_easy_strerror(code));
    result->remote = 0;
    return CAIRN_OK;
}

cairn_status cairn_http_get(const struct cairn_http_request *request,
                            struct cairn_http_result *result)
{
    cairn_status st = CAIRN_OK;
    struct transfer t = {.request = request, .result = result, .fd = -1, .range_start = -1};
    char range[32], why[CURL_ERROR_SIZE] = "";
    memset(result, 0, sizeof *result);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return cairn_fail(CAIRN_MEMORY, "libcurl does not start");
    TRY(open_part(&t));
    t.curl = curl_easy_init();
    if (!t.curl) {
        st = cairn_fail(CAIRN_MEMORY, "no memory to fetch %s", request->url);
        goto out;
    }
    snprintf(range, sizeof range, "%lld-", (long long)t.at);
    set_up(&t, range, why);
    st = judge(&t, curl_easy_perform(t.curl), why);
out:
    curl_easy_cleanup(t.curl);
    if (t.fd >= 0) close(t.fd);
    curl_global_cleanup();
    return st;
}

#else

cairn_status cairn_http_get(const struct cairn_http_request *request,
                            struct cairn_http_result *result)
{
    memset(result, 0, sizeof *result);
    return cairn_fail(CAIRN_UNSUPPORTED,
                      "%s: this build cannot fetch files: install libcurl (libcurl4-openssl-dev) "
                      "and build again with -Dcurl=enabled",
                      request->url);
}

#endif
