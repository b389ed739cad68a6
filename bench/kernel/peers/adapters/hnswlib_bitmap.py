"""Filtered search by hnswlib's C++ headers, compiled on first use from the source package of the installed version."""

import ctypes
import importlib.metadata
import pathlib
import subprocess
import sys
import tarfile

import numpy as np

SOURCE = pathlib.Path(__file__).parent.parent / "bitmap_hnsw.cc"


class BitmapHnsw:
    def __init__(self, index_file, dim, is_l2):
        self.functions, self.dim = ctypes.CDLL(str(compiled())), dim
        self.functions.bitmap_hnsw_open.restype = ctypes.c_void_p
        path = str(index_file).encode()
        self.handle = ctypes.c_void_p(self.functions.bitmap_hnsw_open(path, ctypes.c_size_t(dim), int(is_l2)))

    def search(self, queries, k, ef, bitmaps):
        rows = np.empty((len(queries), k), np.int32)
        stride = bitmaps.shape[1] if len(bitmaps) > 1 else 0
        sizes = [ctypes.c_size_t(size) for size in (len(queries), self.dim, k, ef)]
        self.functions.bitmap_hnsw_search(
            self.handle, address(queries), *sizes, address(bitmaps), ctypes.c_size_t(stride), address(rows)
        )
        return rows


def address(array):
    assert array.flags.c_contiguous
    return array.ctypes.data_as(ctypes.c_void_p)


def compiled():
    folder = pathlib.Path(sys.prefix) / "bitmap-hnsw"
    library = folder / "bitmap_hnsw.so"
    if library.exists() and library.stat().st_mtime > SOURCE.stat().st_mtime:
        return library
    version = importlib.metadata.version("hnswlib")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "hnswlib"]
    subprocess.run([*pip, "--dest", str(folder), f"hnswlib=={version}"], check=True)
    with tarfile.open(folder / f"hnswlib-{version}.tar.gz") as source:
        source.extractall(folder)
    flags = ["-std=c++17", "-O3", "-march=native", "-shared", "-fPIC"]
    headers = folder / f"hnswlib-{version}" / "hnswlib"
    subprocess.run(["g++", *flags, f"-I{headers}", str(SOURCE), "-o", str(library)], check=True)
    return library
