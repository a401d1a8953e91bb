import Foundation
import TensorCore
import Testing

@testable import ONNXGraph

@Suite struct TensorDecodingTests {
    private func initializer(_ type: ElementType, _ dims: [Int64], _ fill: (inout ProtoTensor) -> Void)
        -> Initializer
    {
        var proto = ProtoTensor()
        proto.name = "w"
        proto.dataType = Int32(type.onnxCode)
        proto.dims = dims
        fill(&proto)
        return Initializer(proto: proto, folder: nil)
    }

    @Test func `typed and raw elements give the same tensor`() throws {
        let typed: [(ElementType, (inout ProtoTensor) -> Void, [UInt8])] = [
            (.float32, { $0.floatData = [1, -2] }, [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]),
            (
                .float64, { $0.doubleData = [1, -2] },
                [0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0]
            ),
            (.int8, { $0.int32Data = [1, -2] }, [1, 0xFE]),
            (.uint8, { $0.int32Data = [1, 255] }, [1, 0xFF]),
            (.int16, { $0.int32Data = [1, -2] }, [1, 0, 0xFE, 0xFF]),
            (.uint16, { $0.int32Data = [1, 65535] }, [1, 0, 0xFF, 0xFF]),
            (.int32, { $0.int32Data = [1, -2] }, [1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF]),
            (
                .int64, { $0.int64Data = [1, -2] },
                [1, 0, 0, 0, 0, 0, 0, 0, 0xFE] + Array(repeating: 0xFF, count: 7)
            ),
            (.uint32, { $0.uint64Data = [1, 2] }, [1, 0, 0, 0, 2, 0, 0, 0]),
            (.uint64, { $0.uint64Data = [1, 2] }, [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]),
            (.bool, { $0.int32Data = [1, 0] }, [1, 0]),
            (.float16, { $0.int32Data = [0x3C00, 0xC000] }, [0, 0x3C, 0, 0xC0]),
            (.bfloat16, { $0.int32Data = [0x3F80, 0xC000] }, [0x80, 0x3F, 0, 0xC0]),
            (.float8e4m3fn, { $0.int32Data = [0x38, 0xC0] }, [0x38, 0xC0]),
            (.float8e4m3fnuz, { $0.int32Data = [0x40, 0xC8] }, [0x40, 0xC8]),
            (.float8e5m2, { $0.int32Data = [0x3C, 0xC0] }, [0x3C, 0xC0]),
            (.float8e5m2fnuz, { $0.int32Data = [0x40, 0xC4] }, [0x40, 0xC4]),
            (.float8e8m0, { $0.int32Data = [127, 128] }, [127, 128]),
            (.float4e2m1, { $0.int32Data = [0xC2] }, [0xC2]),
            (.int4, { $0.int32Data = [0xE1] }, [0xE1]),
            (.uint4, { $0.int32Data = [0xE1] }, [0xE1]),
            (.int2, { $0.int32Data = [0x9] }, [0x9]),
            (.uint2, { $0.int32Data = [0x9] }, [0x9]),
        ]
        #expect(Set(typed.map(\.0)) == Set(ElementType.allCases))
        for (type, fill, bytes) in typed {
            let fromTyped = try initializer(type, [2], fill).tensor()
            let fromRaw = try initializer(type, [2]) { $0.rawData = Data(bytes) }.tensor()
            #expect(fromTyped == fromRaw, "\(type)")
            #expect(fromTyped.elementType == type)
            #expect(try Initializer("w", fromRaw).tensor() == fromRaw)
        }
    }

    @Test func `a byte of a bool that is not zero becomes one`() throws {
        let tensor = try initializer(.bool, [3]) { $0.rawData = Data([0, 2, 255]) }.tensor()
        #expect(tensor.array(of: Bool.self) == [false, true, true])
        #expect(tensor.withBytes { Array($0) } == [0, 1, 1])
    }

    @Test func `scalars and empty tensors need no or one element`() throws {
        #expect(try initializer(.float32, []) { $0.floatData = [7] }.tensor().array(of: Float.self) == [7])
        #expect(try initializer(.float32, [0, 3]) { _ in }.tensor().shape == [0, 3])
        #expect(try initializer(.int64, [2, 0]) { $0.rawData = Data() }.tensor().count == 0)
    }

    @Test func `a tensor whose fields disagree is refused`() {
        func fault(_ type: ElementType, _ dims: [Int64], _ fill: (inout ProtoTensor) -> Void) -> TensorFault?
        {
            let initializer = initializer(type, dims, fill)
            var faults: [TensorFault?] = []
            for check in [{ _ = try initializer.tensor() }, { try initializer.checkSize(.standard) }] {
                do {
                    try check()
                    faults.append(nil)
                } catch ModelError.invalidTensor("w", let fault) {
                    faults.append(fault)
                } catch {
                    Issue.record("\(error)")
                }
            }
            #expect(faults.count == 2 && faults[0] == faults[1])
            return faults.first ?? nil
        }
        #expect(fault(.float32, [3]) { $0.floatData = [1, 2] } == .elementCount(expected: 3, actual: 2))
        #expect(fault(.float32, [3]) { $0.rawData = Data(count: 11) } == .byteCount(expected: 12, actual: 11))
        #expect(fault(.float32, [3]) { _ in } == .elementCount(expected: 3, actual: 0))
        #expect(fault(.float32, [1]) { $0.doubleData = [1] } == .dataInSeveralFields)
        #expect(
            fault(.float32, [1]) {
                $0.floatData = [1]
                $0.rawData = Data(count: 4)
            } == .dataInSeveralFields
        )
        #expect(fault(.float32, [-1]) { _ in } == .shape(.negativeDimension(axis: 0, length: -1)))
        #expect(
            fault(.float32, [.max, .max]) { $0.rawData = Data(count: 4) }
                == .shape(.tooLarge(dimensions: [.max, .max]))
        )
        #expect(
            fault(.int64, [1 << 31, 2]) { _ in } == .shape(.tooLarge(dimensions: [1 << 31, 2]))
        )
        #expect(
            fault(.float32, Array(repeating: 1, count: 9)) { $0.rawData = Data(count: 4) }
                == .shape(.rankTooHigh(rank: 9, limit: 8))
        )
        #expect(fault(.float32, [1]) { $0.segment = ProtoSegment() } == .segmented)
    }

    @Test func `elements out of their type's range are refused`() {
        #expect(throws: ModelError.invalidTensor("w", .elementOutOfRange(index: 1))) {
            try initializer(.int8, [2]) { $0.int32Data = [0, 128] }.tensor()
        }
        #expect(throws: ModelError.invalidTensor("w", .elementOutOfRange(index: 0))) {
            try initializer(.uint32, [1]) { $0.uint64Data = [1 << 32] }.tensor()
        }
    }

    @Test func `a tensor of strings is refused by name only when it is read`() throws {
        var proto = ProtoTensor()
        proto.name = "names"
        proto.dataType = 8
        let initializer = Initializer(proto: proto, folder: nil)
        try initializer.checkSize(.standard)
        #expect(initializer.elementType == nil)
        #expect(throws: ModelError.invalidTensor("names", .unsupportedElementType("STRING"))) {
            try initializer.tensor()
        }
    }

    @Test(arguments: Samples.referenceModels)
    func `all tensors of the reference models can be read`(name: String) throws {
        for initializer in try Samples.model(name).graph.initializers {
            #expect(try initializer.tensor().shape.dimensions == initializer.dimensions)
        }
    }
}
