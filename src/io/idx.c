#include "io/idx.h"

#include "base/error.h"
#include "base/file.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#ifdef CAIRN_WITH_LIBDEFLATE
#include <libdeflate.h>
#endif

/* deflate packs at most 1032 bytes into one. */
#define MAX_RATIO 1032

/* A file's content, unpacked as it is asked for. */
struct source {
    const char *path;
    const char *file; /* all of it */
    size_t size;
    const unsigned char *bytes; /* what is left of the file */
    size_t left;
    int gzip, member_ended;
    z_stream z;
};

static cairn_status inflate_some(struct source *in, uint8_t *to, size_t want, size_t *got)
{
    const size_t piece = 1 << 30; /* zlib counts in 32 bits */
    *got = 0;
    while (*got < want) {
        if (in->member_ended) {
            if (in->left == 0) return CAIRN_OK;
            inflateReset(&in->z); /* a gzip file may have several members */
            in->member_ended = 0;
        }
        in->z.next_in = (unsigned char *)in->bytes; /* zlib does not write there */
        in->z.avail_in = (uInt)(in->left < piece ? in->left : piece);
        in->z.next_out = to + *got;
        in->z.avail_out = (uInt)(want - *got < piece ? want - *got : piece);
        uInt in_before = in->z.avail_in, out_before = in->z.avail_out;
        int rc = inflate(&in->z, Z_NO_FLUSH);
        in->bytes += in_before - in->z.avail_in;
        in->left -= in_before - in->z.avail_in;
        *got += out_before - in->z.avail_out;
        if (rc == Z_STREAM_END)
            in->member_ended = 1;
        else if (rc == Z_BUF_ERROR)
            return cairn_fail(CAIRN_FORMAT, "%s: cut off: its gzip data ends too early", in->path);
        else if (rc == Z_MEM_ERROR)
            return cairn_fail(CAIRN_MEMORY, "no memory to unpack %s", in->path);
        else if (rc != Z_OK)
            return cairn_fail(CAIRN_FORMAT, "%s: damaged gzip data: %s", in->path,
                              in->z.msg ? in->z.msg : "unknown kind");
    }
    return CAIRN_OK;
}

/* Up to `want` bytes; fewer only at the end. */
static cairn_status take(struct source *in, uint8_t *to, size_t want, size_t *got)
{
    if (in->gzip) return inflate_some(in, to, want, got);
    *got = want < in->left ? want : in->left;
    memcpy(to, in->bytes, *got);
    in->bytes += *got;
    in->left -= *got;
    return CAIRN_OK;
}

static cairn_status read_header(struct source *in, int rank, struct cairn_idx *idx, int64_t *total)
{
    cairn_status st = CAIRN_OK;
    uint8_t head[4 + 4 * CAIRN_IDX_MAX_RANK];
    size_t got;
    TRY(take(in, head, 4, &got));
    if (got < 4 || head[0] || head[1] || head[2] != 8 || head[3] < 1 ||
        head[3] > CAIRN_IDX_MAX_RANK) {
        st = cairn_fail(CAIRN_FORMAT, "%s: not an IDX file of bytes (they begin with 0 0 8)",
                        in->path);
        goto out;
    }
    if (head[3] != rank) {
        st = cairn_fail(CAIRN_FORMAT, "%s: an IDX file of %d dimensions where %d are expected",
                        in->path, head[3], rank);
        goto out;
    }
    TRY(take(in, head + 4, 4 * (size_t)rank, &got));
    if (got < 4 * (size_t)rank) {
        st = cairn_fail(CAIRN_FORMAT, "%s: cut off inside its header", in->path);
        goto out;
    }
    idx->rank = rank;
    *total = 1;
    for (int i = 0; i < rank; i++) {
        const uint8_t *p = head + 4 + 4 * i;
        idx->dims[i] = (int64_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
        if (idx->dims[i] < 1 || *total > INT64_MAX / idx->dims[i]) {
            st = cairn_fail(CAIRN_FORMAT, "%s: impossible sizes in its header", in->path);
            goto out;
        }
        *total *= idx->dims[i];
    }
out:
    return st;
}

/* A gzip file of one member that holds just the header and `total` bytes, at once: three times as
 * fast as piece by piece. Any other is left to the way that tells what is wrong with it; 0 then. */
static int unpack_whole(const struct source *in, int64_t total, struct cairn_idx *idx)
{
#ifdef CAIRN_WITH_LIBDEFLATE
    size_t head = 4 + 4 * (size_t)idx->rank, room = head + (size_t)total, used = 0, made = 0;
    struct libdeflate_decompressor *unpacker = libdeflate_alloc_decompressor();
    uint8_t *data = unpacker ? malloc(room) : NULL;
    int whole = data &&
                libdeflate_gzip_decompress_ex(unpacker, in->file, in->size, data, room, &used,
                                              &made) == LIBDEFLATE_SUCCESS &&
                used == in->size && made == room;
    libdeflate_free_decompressor(unpacker);
    if (whole) {
        memmove(data, data + head, (size_t)total);
        idx->data = data;
    } else {
        free(data);
    }
    return whole;
#else
    (void)in, (void)total, (void)idx;
    return 0;
#endif
}

static cairn_status read_body(struct source *in, struct cairn_idx *idx, int64_t total)
{
    cairn_status st = CAIRN_OK;
    uint8_t extra;
    size_t got = 0;
    /* Checked before memory is taken. With gzip the unpacked size is only bounded; what unpacks to
     * less is found below. */
    uint64_t most = in->gzip ? ((uint64_t)in->left + 64) * MAX_RATIO : in->left;
    if ((uint64_t)total > most)
        return cairn_fail(
            CAIRN_FORMAT, "%s: cut off: its header promises %lld bytes, and %s%llu are there",
            in->path, (long long)total, in->gzip ? "at most " : "", (unsigned long long)most);
    if (in->gzip && unpack_whole(in, total, idx)) return CAIRN_OK;
    assert(total > 0);
    idx->data = malloc((size_t)total);
    if (!idx->data) return cairn_fail(CAIRN_MEMORY, "no memory for the data of %s", in->path);
    TRY(take(in, idx->data, (size_t)total, &got));
    if (got < (size_t)total) {
        st = cairn_fail(CAIRN_FORMAT,
                        "%s: cut off: its header promises %lld bytes, and %lld are there", in->path,
                        (long long)total, (long long)got);
        goto out;
    }
    TRY(take(in, &extra, 1, &got)); /* with gzip this also checks the sum behind the data */
    if (got)
        st = cairn_fail(CAIRN_FORMAT,
                        "%s: too long: there is more than the %lld bytes that its header promises",
                        in->path, (long long)total);
out:
    return st;
}

cairn_status cairn_idx_read(const char *path, int rank, struct cairn_idx *idx)
{
    char *bytes = NULL;
    int64_t total = 0;
    struct source in = {.path = path};
    memset(idx, 0, sizeof *idx);
    cairn_status st = cairn_file_read(path, &bytes, &in.left);
    if (st != CAIRN_OK) return st;
    in.bytes = (const unsigned char *)bytes;
    in.file = bytes;
    in.size = in.left;
    if (in.left >= 2 && in.bytes[0] == 0x1f && in.bytes[1] == 0x8b) {
        if (inflateInit2(&in.z, 16 + MAX_WBITS) != Z_OK) {
            st = cairn_fail(CAIRN_MEMORY, "no memory to unpack %s", path);
            goto out;
        }
        in.gzip = 1;
    }
    TRY(read_header(&in, rank, idx, &total));
    TRY(read_body(&in, idx, total));
out:
    if (in.gzip) inflateEnd(&in.z);
    if (st != CAIRN_OK) cairn_idx_free(idx);
    free(bytes);
    return st;
}

void cairn_idx_free(struct cairn_idx *idx)
{
    free(idx->data);
    memset(idx, 0, sizeof *idx);
}
