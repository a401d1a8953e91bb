import CLibFuzzer
import Foundation

/// The one reader that is searched, by its first byte; nil for all of them.
private let searched = ProcessInfo.processInfo.environment["FUZZ_READER"]?.utf8.first

/// libFuzzer's way in: the first byte chooses what reads the rest.
///
/// An error is an answer. A trap, a hang, memory over the limit, and a broken law are findings.
@_cdecl("LLVMFuzzerTestOneInput")
public func attempt(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let start, count > 1 else { return 0 }
    // Not kept in the corpus.
    if let searched, start[0] != searched { return -1 }
    let text = Array(UnsafeBufferPointer(start: start + 2, count: max(count - 2, 0)))
    let cut = text.isEmpty ? 0 : Int(start[1]) * text.count / 256
    switch start[0] {
    case UInt8(ascii: "i"): Bodies.instances(text)
    case UInt8(ascii: "t"): Bodies.tensors(text)
    case UInt8(ascii: "l"): Bodies.lines(text, cut: cut)
    case UInt8(ascii: "f"): Bodies.fasta(text, cut: cut)
    case UInt8(ascii: "h"): Connection.compare(text, cut: cut)
    default: return -1
    }
    return 0
}

/// Ends the process, which is a finding, if a law does not hold.
func law(_ holds: Bool, _ name: StaticString) {
    guard !holds else { return }
    fatalError("the law of \(name) is broken")
}
