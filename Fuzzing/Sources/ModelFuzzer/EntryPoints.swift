import CLibFuzzer
import Foundation
import ModelTrial
import SwiftProtobuf

@testable import ONNXGraph

/// libFuzzer's way in: runs one input.
///
/// Its own `main` reads the command line: `ModelFuzzer [-max_total_time=60] FOLDER...`
/// searches, `ModelFuzzer FILE...` runs each file once.
@_cdecl("LLVMFuzzerTestOneInput")
public func attempt(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let start else { return 0 }
    do throws(BrokenLaw) { try Trial(Data(bytes: start, count: count)).run() } catch {
        fatalError("the law of \(error.name) is broken")
    }
    return 0
}

/// libFuzzer's way in: changes a model as a model, and one time in eight as bytes.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ room: Int, _ seed: UInt32) -> Int {
    var choices = Choices(seed: UInt64(seed))
    guard !choices.once(in: 8), var model = decoded(data, size) else {
        return LLVMFuzzerMutate(data, size, room)
    }
    var mutation = ModelMutation(choices)
    for _ in 0...mutation.choices.below(3) { mutation.change(&model) }
    return store(model, data, room) ?? LLVMFuzzerMutate(data, size, room)
}

/// libFuzzer's way in: takes nodes and constants of one model into another.
@_cdecl("LLVMFuzzerCustomCrossOver")
public func crossOver(
    _ a: UnsafePointer<UInt8>,
    _ aSize: Int,
    _ b: UnsafePointer<UInt8>,
    _ bSize: Int,
    _ out: UnsafeMutablePointer<UInt8>,
    _ room: Int,
    _ seed: UInt32
) -> Int {
    guard var model = decoded(a, aSize), let other = decoded(b, bSize) else { return 0 }
    var mutation = ModelMutation(Choices(seed: UInt64(seed)))
    mutation.take(from: other.graph, into: &model.graph)
    return store(model, out, room) ?? 0
}

private func decoded(_ start: UnsafePointer<UInt8>, _ count: Int) -> ProtoModel? {
    var options = BinaryDecodingOptions()
    options.messageDepthLimit = 100
    return try? ProtoModel(serializedBytes: Data(bytes: start, count: count), options: options)
}

private func store(_ model: ProtoModel, _ target: UnsafeMutablePointer<UInt8>, _ room: Int) -> Int? {
    guard let bytes: Data = try? model.serializedBytes(), bytes.count <= room, !bytes.isEmpty else {
        return nil
    }
    bytes.copyBytes(to: target, count: bytes.count)
    return bytes.count
}
