// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Compiles acre's amalgamation with a C compiler, and asks that compiler for the sizes of acre's structs.
//!
//! Environment: CC_<target> or CC, AR_<target> or AR, CFLAGS_<target> or CFLAGS, as elsewhere; ACRE_SINGLE is
//! a folder with acre.h and acre.c, in place of the crate's own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Structs whose size Rust must know: name in C, name of the constant.
const STRUCTS: [(&str, &str); 5] = [
    ("struct acre_tlsf", "TLSF"),
    ("struct acre_buddy", "BUDDY"),
    ("struct acre_slab", "SLAB"),
    ("struct acre_bitmap", "BITMAP"),
    ("enum acre_status", "STATUS"),
];

fn main() {
    if let Err(text) = build() {
        eprintln!("acre: {text}");
        std::process::exit(1);
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(need("OUT_DIR")?);
    let source = amalgamation(&out)?;
    let object = out.join("acre.o");
    let archive = out.join("libacre.a");
    compile(&source.join("acre.c"), &source, &object)?;
    write_sizes(&source, &out)?;
    let _ = fs::remove_file(&archive);
    run(tool("AR", "ar").arg("crs").arg(&archive).arg(&object), "install binutils, or set AR")?;
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=acre");
    println!("cargo:include={}", source.display());
    Ok(())
}

/// The folder with acre.h and acre.c: given, in the crate, or made from the repository around it.
fn amalgamation(out: &Path) -> Result<PathBuf, String> {
    let here = PathBuf::from(need("CARGO_MANIFEST_DIR")?);
    if let Some(folder) = setting("ACRE_SINGLE") {
        return Ok(PathBuf::from(folder));
    }
    let packaged = here.join("c");
    if packaged.join("acre.c").is_file() {
        println!("cargo:rerun-if-changed={}", packaged.display());
        return Ok(packaged);
    }
    let root = here.join("../..");
    let script = root.join("scripts/single");
    if !script.is_file() {
        return Err("neither c/acre.c nor scripts/single is there: the crate is incomplete".into());
    }
    for folder in ["src", "include", "scripts/single"] {
        println!("cargo:rerun-if-changed={}", root.join(folder).display());
    }
    run(Command::new("python3").arg(script).arg(out), "install python3")?;
    Ok(out.to_path_buf())
}

fn compile(source: &Path, include: &Path, object: &Path) -> Result<(), String> {
    let target = need("TARGET")?;
    let mut compiler = tool("CC", "cc");
    compiler.args(["-std=c11", "-O2", "-ffreestanding", "-ffunction-sections", "-fdata-sections"]);
    if !target.contains("-none") && !target.contains("windows") {
        compiler.arg("-fPIC");
    }
    for flags in [setting(&format!("CFLAGS_{}", target.replace('-', "_"))), setting("CFLAGS")] {
        compiler.args(flags.unwrap_or_default().split_whitespace());
    }
    compiler.arg("-I").arg(include).arg("-c").arg(source).arg("-o").arg(object);
    run(&mut compiler, "install gcc or clang for the target, or set CC")
}

/// Writes sizes.rs: a file of C holds each size as text, which is read from its object. Nothing is run, so
/// this serves cross builds.
fn write_sizes(include: &Path, out: &Path) -> Result<(), String> {
    let digits = |what: &str| -> String {
        (0..8).map(|at| format!("'0' + {what} / {} % 10,", 10u64.pow(7 - at))).collect()
    };
    let mut text = String::from("#include <acre.h>\n"); // the one given, whatever lies in OUT_DIR
    for (name, constant) in STRUCTS {
        let marker: String = format!("<{constant}=").chars().map(|c| format!("'{c}',")).collect();
        let (size, align) = (format!("sizeof({name})"), format!("_Alignof({name})"));
        text += &format!(
            "const char acre_{constant}[] = {{{marker}{}'/',{}'>'}};\n",
            digits(&size),
            digits(&align)
        );
    }
    let (source, object) = (out.join("sizes.c"), out.join("sizes.o"));
    fs::write(&source, text).map_err(|e| e.to_string())?;
    compile(&source, include, &object)?;
    let bytes = fs::read(&object).map_err(|e| e.to_string())?;
    let mut lines = String::new();
    for (_, constant) in STRUCTS {
        let (size, align) = find_size(&bytes, constant)
            .ok_or("the compiler writes objects that cannot be read (is -flto in CFLAGS?)")?;
        lines += &format!("pub const {constant}_SIZE: usize = {size};\n");
        lines += &format!("pub const {constant}_ALIGN: usize = {align};\n");
    }
    fs::write(out.join("sizes.rs"), lines).map_err(|e| e.to_string())
}

fn find_size(object: &[u8], constant: &str) -> Option<(usize, usize)> {
    let marker = format!("<{constant}=").into_bytes();
    let at = object.windows(marker.len()).position(|window| window == marker)? + marker.len();
    let text = std::str::from_utf8(object.get(at..at + 17)?).ok()?;
    let (size, align) = text.split_once('/')?;
    Some((size.parse().ok()?, align.parse().ok()?))
}

/// NAME_<target>, NAME, or the default; a cross build without a setting takes clang, which serves all targets.
fn tool(name: &str, default: &str) -> Command {
    let target = env::var("TARGET").unwrap_or_default();
    let specific = setting(&format!("{name}_{}", target.replace('-', "_")));
    if let Some(words) = specific.or_else(|| setting(name)) {
        let mut words = words.split_whitespace().map(str::to_owned);
        let mut command = Command::new(words.next().unwrap_or_else(|| default.to_owned()));
        command.args(words);
        return command;
    }
    if name == "CC" && env::var("HOST").as_ref() != Ok(&target) {
        let mut command = Command::new("clang");
        command.arg(format!("--target={target}"));
        return command;
    }
    Command::new(default)
}

fn setting(name: &str) -> Option<String> {
    println!("cargo:rerun-if-env-changed={name}");
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn need(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not set: run this with cargo"))
}

fn run(command: &mut Command, remedy: &str) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?} failed: {status}")),
        Err(error) => Err(format!("{program} cannot be run ({error}): {remedy}")),
    }
}
